//! A trained Regard model as a value: load, predict, save
