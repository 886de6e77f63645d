"use strict";
(() => {
  const root = document.documentElement;
  const data = JSON.parse(document.getElementById("data").textContent);
  const names = data.agents;
  const tip = document.getElementById("tip");

  // -- light and dark ---------------------------------------------------------------------------------------
  const button = document.getElementById("theme");
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  let chosen = null;
  const paint = () => {
    const dark = chosen === null ? prefersDark.matches : chosen === "dark";
    root.dataset.theme = dark ? "dark" : "light";
    button.textContent = dark ? "Light" : "Dark";
    button.setAttribute("aria-label", dark ? "Switch to light colours" : "Switch to dark colours");
  };
  button.addEventListener("click", () => {
    chosen = root.dataset.theme === "dark" ? "light" : "dark";
    paint();
  });
  prefersDark.addEventListener("change", paint);
  addEventListener("beforeprint", () => { root.dataset.theme = "light"; });
  addEventListener("afterprint", paint);
  paint();

  // -- agents on and off --------------------------------------------------------------------------------------
  const hidden = new Set();
  for (const box of document.querySelectorAll(".legend input")) {
    box.addEventListener("change", () => {
      const agent = Number(box.value);
      if (box.checked) hidden.delete(agent); else hidden.add(agent);
      for (const part of document.querySelectorAll(".a" + agent)) part.style.display = box.checked ? "" : "none";
    });
  }

  // The pointer on an agent's switch lights its lines and fades all others.
  for (const label of document.querySelectorAll(".legend label")) {
    const agent = label.querySelector("input").value;
    const light = (on) => {
      for (const part of document.querySelectorAll("svg.chart [class*='a']")) {
        const own = /^a(\d+)( |$)/.exec(part.getAttribute("class"));
        if (!own) continue;
        part.classList.toggle("faded", on && own[1] !== agent);
        part.classList.toggle("lit", on && own[1] === agent);
      }
    };
    label.addEventListener("pointerenter", () => light(true));
    label.addEventListener("pointerleave", () => light(false));
  }

  // -- exact numbers under the pointer, or by arrow keys ------------------------------------------------------
  const tell = (number) => number === null ? "" : Number(number.toPrecision(5)).toLocaleString("en");
  const showTip = (x, y) => {
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    tip.style.left = Math.max(6, Math.min(x + 14, innerWidth - box.width - 6)) + "px";
    tip.style.top = Math.max(6, y + 18 + box.height > innerHeight ? y - box.height - 12 : y + 18) + "px";
  };
  const nearest = (grid, x) => {
    let low = 0, high = grid.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (grid[middle] < x) low = middle + 1; else high = middle;
    }
    return low && Math.abs(grid[low - 1] - x) <= Math.abs(grid[low] - x) ? low - 1 : low;
  };
  for (const chart of document.querySelectorAll("svg.chart")) {
    const numbers = data.charts[chart.dataset.key];
    const [left, right, first, last] = chart.dataset.x.split(",").map(Number);
    const cursor = chart.querySelector(".cursor");
    const longest = numbers.x.reduce((a, b) => b.length > a.length ? b : a, []);
    let at = longest.length - 1;
    const show = (index, clientX, clientY) => {
      at = Math.max(0, Math.min(longest.length - 1, index));
      const x = longest[at];
      const place = left + (x - first) / (last - first) * (right - left);
      cursor.style.visibility = "visible";
      cursor.setAttribute("transform", `translate(${place} 0)`);
      const rows = numbers.s.filter((row) => !hidden.has(row.a)).map((row) => {
        const k = nearest(numbers.x[row.x], x);
        return [names[row.a], row.m[k], row.l ? row.l[k] : null, row.h ? row.h[k] : null];
      });
      const table = document.createElement("table");
      const head = table.createCaption();
      head.textContent = chart.dataset.key === "profile" ? "score of at least " + tell(x) : tell(x) + " steps";
      for (const [name, mean, low, high] of rows) {
        const line = table.insertRow();
        line.insertCell().textContent = name;
        line.insertCell().textContent = tell(mean);
        line.insertCell().textContent = low === null || low === high ? "" : tell(low) + " to " + tell(high);
      }
      tip.replaceChildren(table);
      const box = chart.getBoundingClientRect();
      showTip(clientX ?? box.left + place / chart.viewBox.baseVal.width * box.width, clientY ?? box.top + 10);
    };
    const hide = () => { tip.hidden = true; cursor.style.visibility = "hidden"; };
    chart.addEventListener("pointermove", (event) => {
      const box = chart.getBoundingClientRect();
      const inside = (event.clientX - box.left) / box.width * chart.viewBox.baseVal.width;
      const x = first + (inside - left) / (right - left) * (last - first);
      show(nearest(longest, x), event.clientX, event.clientY);
    });
    chart.addEventListener("pointerleave", hide);
    chart.addEventListener("blur", hide);
    chart.addEventListener("keydown", (event) => {
      const move = { ArrowLeft: -1, ArrowRight: 1, Home: -1e9, End: 1e9 }[event.key];
      if (event.key === "Escape") hide();
      if (move === undefined) return;
      event.preventDefault();
      show(at + move);
    });
  }

  // Titles inside pictures, at once instead of after a second, and by touch.
  document.addEventListener("pointerover", (event) => {
    const spot = event.target.closest && event.target.closest("svg:not(.chart) g, svg:not(.chart) .dots > *, .chance");
    if (!spot) { if (!event.target.closest || !event.target.closest("svg.chart")) tip.hidden = true; return; }
    let own = spot.querySelector(":scope > title");
    const learned = spot.closest("svg.learned");
    if (learned) {  // the exact numbers of a cell are kept once, in the map of the optimum
      const place = [...learned.children].indexOf(spot.closest("svg.learned > g"));
      own = learned.closest(".maps").querySelector("svg").children[place]?.querySelector("title");
    }
    const said = own ? own.dataset.text || own.textContent : spot.title || spot.dataset.text;
    if (!said) return;
    if (own && own.textContent && !learned) { own.dataset.text = said; spot.setAttribute("aria-label", said); own.textContent = ""; }
    if (spot.title) { spot.dataset.text = said; spot.removeAttribute("title"); }
    tip.textContent = said;
    tip.style.whiteSpace = "pre-line";
    showTip(event.clientX, event.clientY);
  });
  document.addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });

  // -- another run on the map -----------------------------------------------------------------------------------
  const SVG = "http" + "://www.w3.org/2000/svg";
  const brief = (loss) => {
    if (loss < 0.005) return "";
    return "\u2212" + (loss >= 99.5 ? loss.toFixed(0) : loss >= 9.95 ? loss.toFixed(1) : loss.toFixed(2));
  };
  const sign = (map, action, wrong) => {
    const stroke = map.arrows[action];
    const part = document.createElementNS(SVG, stroke ? "path" : "text");
    if (stroke) {
      part.setAttribute("class", "arrow" + (wrong ? " wrong" : ""));
      part.setAttribute("transform", `scale(${map.side})`);
      part.setAttribute("d", stroke);
    } else {
      part.setAttribute("class", "glyph" + (wrong ? " wrong" : ""));
      part.setAttribute("text-anchor", "middle");
      part.setAttribute("y", map.side * 0.1);
      part.textContent = map.glyphs[action];
    }
    return part;
  };
  const isWrong = (map, state, action) => action >= 0 && Math.floor((map.wrong[state] || 0) / 2 ** action) % 2 === 1;
  for (const pair of document.querySelectorAll("[data-map]")) {
    const map = data.maps[pair.dataset.map];
    const cells = pair.querySelectorAll("svg.learned > g");
    const said = pair.querySelector(".said");
    pair.querySelector("select").addEventListener("change", (event) => {
      const run = map.runs[Number(event.target.value)];
      map.cells.forEach((states, k) => {
        if (!states.length) return;
        const loss = run.l ? states.reduce((sum, s) => sum + run.l[s], 0) / states.length : 0;
        cells[k].querySelector(".lost").setAttribute("fill-opacity", (Math.min(1, loss / map.top) * 0.6).toFixed(2));
        const number = cells[k].querySelector(".number");
        if (number) number.textContent = run.l ? brief(loss) : "";
        const count = cells[k].querySelector(".count");
        if (count) {
          const wrong = states.filter((s) => isWrong(map, s, run.p[s])).length;
          count.textContent = wrong;
          count.classList.toggle("wrong", wrong > 0);
        }
        const arrows = cells[k].querySelector(".arrows");
        if (arrows && run.p[states[0]] >= 0) {
          arrows.replaceChildren(sign(map, run.p[states[0]], isWrong(map, states[0], run.p[states[0]])));
        }
      });
      const score = run.v >= 0.9995 && run.v < 1 ? ">0.999" : run.v.toFixed(3);
      said.textContent = `${names[run.a]}, seed ${run.s}: score ${score}, ${run.w.toLocaleString("en")} ` +
        `${run.w === 1 ? "state" : "states"} with a provably wrong action`;
    });
  }
})();
