"use strict";
(() => {
  const MOST_ARCS = 12, MOST_RANKED = 7;
  const dark = matchMedia("(prefers-color-scheme: dark)");

  for (const root of document.querySelectorAll("[data-maps]")) explore(root);

  function explore(root) {
    const find = (selector) => root.querySelector(selector);
    const data = JSON.parse(find("script").textContent);
    const tokens = data.tokens, n = tokens.length;
    const names = tokens.map((token) => token.text.trim() || "␣");
    const heads = new Map();
    for (const layer of data.layers) {
      layer.heads.forEach((head, index) => heads.set(layer.layer + "/" + index, decode(head)));
    }
    const state = { layer: "mean", head: "mean", direction: "from", token: data.start, hover: null };
    const kept = new Map();
    const explorer = find(".explorer"), strip = find(".strip"), arcs = find(".arcs");
    const matrix = find(".matrix .across"), canvas = find(".matrix canvas");
    let cell = 1, margin = 0;
    explorer.hidden = false;

    // A map's weights, query after query; null if one is not finite.
    function decode(head) {
      if (head.most === null) return null;
      const bytes = atob(head.weights), weights = new Float32Array(bytes.length);
      for (let i = 0; i < bytes.length; i++) weights[i] = bytes.charCodeAt(i) / 255 * head.most;
      return weights;
    }

    // The chosen map: of one head, or a mean over heads, layers or both.
    function chosen() {
      const key = state.layer + "/" + state.head;
      if (kept.has(key)) return kept.get(key);
      const wanted = [...heads].filter(([name]) => {
        const [layer, head] = name.split("/");
        return (state.layer === "mean" || state.layer === layer) && (state.head === "mean" || state.head === head);
      }).map(([, weights]) => weights);
      let mean = null;
      if (wanted.length && wanted.every(Boolean)) {
        mean = new Float32Array(n * n);
        for (const weights of wanted) for (let i = 0; i < mean.length; i++) mean[i] += weights[i] / wanted.length;
      }
      kept.set(key, mean);
      return mean;
    }

    const weight = (map, a, b) => state.direction === "from" ? map[a * n + b] : map[b * n + a];
    const number = (value) => value >= 0.0995 ? value.toFixed(2) : value.toFixed(3);
    const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();
    const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
    // The deepest colour: the largest weight, or four times an even share, so that a head that looks
    // at all alike is pale and not all deep.
    const deepest = (weights) => weights.reduce((a, b) => Math.max(a, b), Math.min(1, 4 / n));
    // Most weights are small: a root lets them be seen, and keeps the order.
    const depth = (value, most) => Math.pow(value / most, 0.75);

    // The strip: the text as buttons.
    tokens.forEach((token, index) => {
      if (index > 0 && token.space) strip.append(" ");
      else if (index > 0 && tokens[index - 1].special) strip.append(" ");
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = names[index];
      button.tabIndex = -1;
      if (token.special) button.classList.add("special");
      button.addEventListener("mouseenter", () => { state.hover = index; drawTokens(); });
      button.addEventListener("mouseleave", () => { state.hover = null; drawTokens(); });
      button.addEventListener("click", () => pin(index));
      strip.append(button);
    });
    const buttons = [...strip.querySelectorAll("button")];
    strip.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -n, End: n }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      pin(Math.min(n - 1, Math.max(0, state.token + step)));
      buttons[state.token].focus();
    });

    function pin(index) {
      state.token = index;
      state.hover = null;
      draw();
    }

    for (const input of root.querySelectorAll("[data-choice]")) {
      input.addEventListener("change", () => { state[input.dataset.choice] = input.value; draw(); });
    }

    function drawTokens() {
      const map = chosen(), at = state.hover ?? state.token;
      const row = buttons.map((_, i) => map ? weight(map, at, i) : 0);
      const most = deepest(row);
      const heat = rgb(colour("--heat"));
      buttons.forEach((button, i) => {
        const alpha = 0.9 * depth(row[i], most);
        button.style.background = alpha > 0.04 ? `rgba(${heat},${alpha.toFixed(3)})` : "";
        button.classList.toggle("deep", alpha > 0.6);
        button.classList.toggle("looked", i === state.hover);
        button.setAttribute("aria-pressed", i === state.token);
        button.tabIndex = i === state.token ? 0 : -1;
        button.title = map ? number(row[i]) : "not finite";
      });
      const order = row.map((_, i) => i).sort((a, b) => row[b] - row[a]);
      drawArcs(at, row, order);
      const ranking = find(".ranking");
      ranking.replaceChildren(...order.slice(0, map ? MOST_RANKED : 0).map((i) => {
        const item = document.createElement("li");
        const [name, bar, value] = ["span", "span", "span"].map((kind) => item.appendChild(document.createElement(kind)));
        name.textContent = names[i];
        bar.className = "bar";
        bar.appendChild(document.createElement("span")).style.width = 100 * row[i] / row[order[0]] + "%";
        value.textContent = number(row[i]);
        return item;
      }));
      sayFigures(at, map);
      drawMatrix(map, at, null);
    }

    // Arcs from the token to those that it looks at more than evenly, as thick as the weight; further
    // ones rise higher.
    function drawArcs(at, row, order) {
      const frame = arcs.getBoundingClientRect();
      const top = (i) => {
        const box = buttons[i].getClientRects()[0];
        return [box.left + box.width / 2 - frame.left, box.top - frame.top];
      };
      const [x, y] = top(at);
      const paths = order.slice(0, MOST_ARCS).filter((i) => i !== at && row[i] > 1.6 / n).map((i) => {
        const [u, v] = top(i);
        const rise = Math.min(26, 6 + Math.abs(u - x) / 12);
        const high = Math.min(y, v) - rise;
        return `<path d="M${x} ${y}C${x} ${high} ${u} ${high} ${u} ${v}" stroke-width="${(1 + 5 * row[i]).toFixed(2)}" opacity="${(0.25 + 0.6 * row[i] / row[order[0]]).toFixed(2)}"/>`;
      });
      arcs.innerHTML = paths.join("");
    }

    function sayFigures(at, map) {
      const where = state.layer === "mean" && state.head === "mean" ? "All layers and heads"
        : (state.layer === "mean" ? "All layers" : "Layer " + state.layer) + ", " + (state.head === "mean" ? "all heads" : "head " + state.head);
      const said = find(".said");
      said.replaceChildren(where + ": ");
      if (!map) { said.append("weights that are not finite."); return; }
      const token = document.createElement("strong");
      token.textContent = names[at];
      said.append(token, state.direction === "from" ? " looks at the tokens in colour." : " is looked at by the tokens in colour.");
      const box = root.querySelector(`td[data-layer="${state.layer}"][data-head="${state.head}"]`);
      if (box) said.append(" The head: " + box.title + ".");
    }

    // The heat map: queries down, keys across.
    function drawMatrix(map, at, over) {
      const scale = devicePixelRatio || 1;
      const room = Math.max(200, Math.min(460, matrix.clientWidth || 460));
      const named = n <= 64;
      const font = 11;
      const context = canvas.getContext("2d");
      context.font = font + "px system-ui, sans-serif";
      const label = (i) => names[i].length > 12 ? names[i].slice(0, 11) + "…" : names[i];
      margin = named ? Math.min(90, Math.ceil(Math.max(...names.map((_, i) => context.measureText(label(i)).width))) + 8) : 0;
      cell = named ? Math.max(6, Math.min(26, Math.floor((room - margin) / n))) : Math.max(2, room / n);
      const side = margin + cell * n;
      canvas.width = Math.round(side * scale);
      canvas.height = Math.round(side * scale);
      canvas.style.width = canvas.style.height = side + "px";
      context.setTransform(scale, 0, 0, scale, 0, 0);
      context.fillStyle = colour("--panel");
      context.fillRect(margin, margin, cell * n, cell * n);
      const most = map ? deepest(map) : 0;
      find(".scale").textContent = map ? "0 to " + number(most) : "not finite";
      if (map && !named) {
        context.imageSmoothingEnabled = cell * scale < 1;
        context.drawImage(pictured(map), 0, 0, side, side);
      } else if (map) {
        const heat = rgb(colour("--heat"));
        const gap = cell > 8 ? 1 : 0;
        for (let q = 0; q < n; q++) for (let k = 0; k < n; k++) {
          const alpha = depth(map[q * n + k], most);
          if (alpha < 0.02) continue;
          context.fillStyle = `rgba(${heat},${alpha.toFixed(3)})`;
          context.fillRect(margin + k * cell, margin + q * cell, cell - gap, cell - gap);
        }
      }
      if (named) {
        // Every so many that the letters do not touch; the chosen one always.
        const every = Math.ceil((font + 1) / cell);
        context.font = font + "px system-ui, sans-serif";
        context.textBaseline = "middle";
        for (let i = 0; i < n; i++) {
          const chosenOne = i === at;
          if (i % every && !chosenOne) continue;
          if (!chosenOne && Math.abs(i - at) * cell < font) continue;
          context.fillStyle = colour(chosenOne ? "--ink" : "--muted");
          const middle = margin + i * cell + cell / 2;
          context.textAlign = "right";
          context.fillText(label(i), margin - 5, middle);
          context.save();
          context.translate(middle, margin - 5);
          context.rotate(-Math.PI / 2);
          context.textAlign = "left";
          context.fillText(label(i), 0, 0);
          context.restore();
        }
      }
      context.strokeStyle = colour("--ink");
      context.lineWidth = 1;
      const band = margin + at * cell - 0.5;
      if (state.direction === "from") context.strokeRect(margin - 0.5, band, cell * n, cell);
      else context.strokeRect(band, margin - 0.5, cell, cell * n);
      if (over && map) {
        context.lineWidth = 2;
        context.strokeRect(margin + over[1] * cell - 1, margin + over[0] * cell - 1, cell + 1, cell + 1);
      }
      find(".cell").textContent = over && map ? `${names[over[0]]} → ${names[over[1]]}: ${number(map[over[0] * n + over[1]])}` : "rows look at columns";
    }

    function under(event) {
      const box = canvas.getBoundingClientRect();
      const [k, q] = [event.clientX - box.left, event.clientY - box.top].map((at) => Math.floor((at - margin) / cell));
      return q >= 0 && q < n && k >= 0 && k < n ? [q, k] : null;
    }
    canvas.addEventListener("mousemove", (event) => drawMatrix(chosen(), state.token, under(event)));
    canvas.addEventListener("mouseleave", () => drawMatrix(chosen(), state.token, null));
    canvas.addEventListener("click", (event) => {
      const over = under(event);
      if (!over) return;
      pin(over[state.direction === "from" ? 0 : 1]);
      drawMatrix(chosen(), state.token, over);
    });

    // The small maps: one a head.
    const small = [];
    const perLayer = Math.max(...data.layers.map((layer) => layer.heads.length));
    const side = perLayer > 8 ? 56 : perLayer > 4 ? 72 : 96;
    for (const box of root.querySelectorAll("td[data-layer]")) {
      const { layer, head } = box.dataset;
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-label", `Layer ${layer}, head ${head}: ${box.title}`);
      const picture = button.appendChild(document.createElement("canvas"));
      button.addEventListener("click", () => {
        for (const [name, value] of [["layer", layer], ["head", head]]) {
          state[name] = value;
          for (const input of root.querySelectorAll(`[data-choice=${name}]`)) input.checked = input.value === value;
        }
        draw();
      });
      box.prepend(button);
      small.push({ button, picture, layer, head });
    }

    // A map as a picture of a pixel a weight.
    function pictured(map) {
      const picture = document.createElement("canvas");
      picture.width = picture.height = n;
      const context = picture.getContext("2d");
      const image = context.createImageData(n, n);
      const heat = rgb(colour("--heat"));
      const most = deepest(map);
      map.forEach((weight, i) => image.data.set([...heat, 255 * depth(weight, most)], 4 * i));
      context.putImageData(image, 0, 0);
      return picture;
    }

    function drawSmall() {
      const scale = devicePixelRatio || 1;
      for (const { picture, layer, head } of small) {
        const map = heads.get(layer + "/" + head);
        picture.width = picture.height = Math.round(side * scale);
        picture.style.width = picture.style.height = side + "px";
        const context = picture.getContext("2d");
        context.imageSmoothingEnabled = n > side * scale;
        if (map) context.drawImage(pictured(map), 0, 0, picture.width, picture.height);
      }
    }

    function draw() {
      const frame = find(".strip-frame");
      frame.classList.toggle("long", frame.scrollHeight > frame.clientHeight + 1);
      drawTokens();
      for (const { button, layer, head } of small) {
        button.setAttribute("aria-pressed", (state.layer === layer) && (state.head === head));
      }
    }
    function redraw() { drawSmall(); draw(); }
    dark.addEventListener("change", redraw);
    let waiting = 0;
    addEventListener("resize", () => { cancelAnimationFrame(waiting); waiting = requestAnimationFrame(draw); });
    redraw();
  }
})();
