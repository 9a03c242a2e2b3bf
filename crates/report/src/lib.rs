//! Pages that a person can read: training reports and attention maps, each one HTML file.
