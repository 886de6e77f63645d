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
  const shut = () => document.querySelectorAll("details:not([open])");
  let opened = [];
  addEventListener("beforeprint", () => {
    root.dataset.theme = "light";
    opened = [...shut()];
    for (const part of opened) part.open = true;
  });
  addEventListener("afterprint", () => {
    paint();
    for (const part of opened) part.open = false;
  });
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

  // The pointer, or the focus, on an agent's switch lights its lines and fades all others.
  for (const label of document.querySelectorAll(".legend label")) {
    const box = label.querySelector("input");
    const agent = box.value;
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
    box.addEventListener("focus", () => light(box.matches(":focus-visible")));
    box.addEventListener("blur", () => light(false));
  }

  // -- one kind of regret at a time ---------------------------------------------------------------------------
  for (const radio of document.querySelectorAll(".switch input")) {
    radio.addEventListener("change", () => {
      const section = radio.closest("section");
      for (const part of section.querySelectorAll("[data-choice]")) part.hidden = part.dataset.choice !== radio.value;
    });
  }

  // -- exact numbers under the pointer, or by arrow keys ------------------------------------------------------
  const tell = (number) => number === null ? "\u2212\u221e" : Number(number.toPrecision(5)).toLocaleString("en");
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
        return [names[row.a], row.m[k], row.l ? row.l[k] : undefined, row.h ? row.h[k] : undefined];
      });
      const table = document.createElement("table");
      const head = table.createCaption();
      head.textContent = chart.dataset.key === "profile" ? "score of at least " + tell(x) : tell(x) + " steps";
      for (const [name, mean, low, high] of rows) {
        const line = table.insertRow();
        line.insertCell().textContent = name;
        line.insertCell().textContent = tell(mean);
        line.insertCell().textContent = low === undefined || low === high ? "" : tell(low) + " to " + tell(high);
      }
      tip.style.whiteSpace = "";
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
    chart.addEventListener("focus", () => { if (chart.matches(":focus-visible")) show(at); });
    chart.addEventListener("blur", hide);
    chart.addEventListener("keydown", (event) => {
      const move = { ArrowLeft: -1, ArrowRight: 1, Home: -1e9, End: 1e9 }[event.key];
      if (event.key === "Escape") hide();
      if (move === undefined) return;
      event.preventDefault();
      show(at + move);
    });
  }

  // -- parts of pictures and tables that tell more: under the pointer, or by arrow keys ------------------------
  const saidBy = (part) => {
    if (part.dataset.say) return part.dataset.say;
    const own = part.querySelector(":scope > title");
    if (own) {  // the browser's own tip would come a second later, beside ours
      part.dataset.say = own.textContent;
      own.remove();
    }
    return part.dataset.say || "";
  };
  const tell_of = (part, x, y) => {
    const said = [saidBy(part), part.tellMore ? part.tellMore() : ""].filter(Boolean).join("\n");
    if (!said) { tip.hidden = true; return; }
    tip.textContent = said;
    tip.style.whiteSpace = "pre-line";
    showTip(x, y);
  };
  for (const host of document.querySelectorAll("[data-stops]")) {
    const stops = [...host.querySelectorAll(host.dataset.stops)];
    const columns = Number(host.dataset.columns);
    let here = -1;
    const leave = () => {
      if (here >= 0) stops[here].classList.remove("here");
      tip.hidden = true;
    };
    const go = (place) => {
      leave();
      here = Math.max(0, Math.min(stops.length - 1, place));
      stops[here].classList.add("here");
      const box = stops[here].getBoundingClientRect();
      tell_of(stops[here], box.right - 8, box.bottom - 14);
    };
    const shown = (place) => stops[place] && stops[place].getClientRects().length > 0;
    host.addEventListener("keydown", (event) => {
      if (event.key === "Escape") leave();
      const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
      if (event.key === "Home" || event.key === "End") {
        event.preventDefault();
        go(event.key === "Home" ? 0 : stops.length - 1);
      }
      if (step === undefined || !stops.length) return;
      event.preventDefault();
      let place = here < 0 ? 0 : here + step;
      while (stops[place] && !shown(place)) place += Math.sign(step);  // of agents that are switched off
      if (stops[place]) go(place);
    });
    host.addEventListener("focus", () => { if (host.matches(":focus-visible") && stops.length) go(Math.max(0, here)); });
    host.addEventListener("blur", leave);
    host.addEventListener("pointerover", (event) => {
      const part = stops.find((stop) => stop.contains(event.target));
      if (part) tell_of(part, event.clientX, event.clientY);
    });
    host.addEventListener("pointerleave", () => { tip.hidden = true; });
  }
  addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });

  // -- where one is -----------------------------------------------------------------------------------------------
  const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const link = links.get(entry.target.id);
      if (link) entry.isIntersecting ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current");
    }
  }, { rootMargin: "-20% 0px -70% 0px" });
  for (const section of document.querySelectorAll("main > section")) seen.observe(section);
})();
