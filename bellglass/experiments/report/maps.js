"use strict";
// Another run, and another time, on the maps of what was learned.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const SVG = "http" + "://www.w3.org/2000/svg";
  const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const FULL = 64 ** 3 - 1;
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  /** Letters as losses: most * (number / FULL) ** 3. */
  const decode = (text, most) => {
    const losses = [];
    for (let k = 0; k < text.length; k += 3) {
      const part = text.slice(k, k + 3);
      const [a, b, c] = [...part].map((letter) => LETTERS.indexOf(letter));
      losses.push(part === "~~~" ? Infinity : most * ((a * 4096 + b * 64 + c) / FULL) ** 3);
    }
    return losses;
  };
  const brief = (loss) => {
    if (loss < 0.005) return "";
    if (loss === Infinity) return "\u2212\u221e";
    return "\u2212" + (loss >= 99.5 ? loss.toFixed(0) : loss >= 9.95 ? loss.toFixed(1) : loss.toFixed(2));
  };
  const exact = (number) => Number(number.toPrecision(4)).toLocaleString("en", { maximumSignificantDigits: 4 });
  const mean = (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;

  const sign = (map, action, wrong) => {
    const stroke = data.strokes[map.glyphs[action]];
    const part = document.createElementNS(SVG, stroke ? "path" : "text");
    part.setAttribute("class", (stroke ? "arrow" : "glyph") + (wrong ? " wrong" : ""));
    if (stroke) {
      part.setAttribute("transform", `scale(${map.side})`);
      part.setAttribute("d", stroke);
    } else {
      part.setAttribute("y", map.side * 0.1);
      part.textContent = map.glyphs[action];
    }
    return part;
  };

  for (const pair of document.querySelectorAll("[data-map]")) {
    const map = data.maps[pair.dataset.map];
    const [optimum, learned] = pair.querySelectorAll(".maps svg");
    const cells = learned.querySelectorAll(":scope > g");
    const answers = optimum.querySelectorAll(":scope > g");
    const select = pair.querySelector("select");
    const slider = pair.querySelector("input[type=range]");
    const last = map.steps.length - 1;
    const isWrong = (state, action) => action >= 0 && map.wrong[state].includes(LETTERS[action]);

    /** The run's latest moment at a place of the slider. */
    const momentAt = (run, place) => run.m.reduce((best, one) => one[0] <= place || one === run.m[0] ? one : best);

    const paint = () => {
      const run = map.runs[Number(select.value)];
      const place = slider ? Number(slider.value) : last;
      const [when, score, wrong, letters, coded] = momentAt(run, place);
      const policy = [...letters].map((letter) => LETTERS.indexOf(letter));
      const losses = coded === null ? null : decode(coded, map.most);
      map.cells.forEach((states, k) => {
        if (!states.length) { cells[k].tellMore = () => ""; return; }
        const loss = losses ? mean(states.map((s) => losses[s])) : 0;
        const bad = states.filter((s) => isWrong(s, policy[s]));
        cells[k].querySelector(".lost").setAttribute("fill-opacity", (Math.sqrt(Math.min(1, loss / map.top)) * 0.6).toFixed(2));
        const number = cells[k].querySelector(".number");
        if (number) number.textContent = losses ? brief(loss) : "";
        const count = cells[k].querySelector(".count");
        if (count) {
          count.textContent = bad.length;
          count.classList.toggle("wrong", bad.length > 0);
        }
        const arrows = cells[k].querySelector(".arrows");
        if (arrows) arrows.replaceChildren(...(policy[states[0]] < 0 ? [] : [sign(map, policy[states[0]], bad.length > 0)]));
        cells[k].tellMore = () => {
          const lines = [];
          if (states.length === 1 && policy[states[0]] >= 0) {
            lines.push(`plays ${map.names[policy[states[0]]]}: ${bad.length ? "provably wrong" : "not provably wrong"}`);
          } else {
            lines.push(`${bad.length} of ${states.length} states with a provably wrong action`);
          }
          if (losses) lines.push(`regret from here${states.length > 1 ? ", mean" : ""}: ${exact(loss)}`);
          return lines.join("\n");
        };
      });
      const value = score === null ? "\u2212\u221e" : score >= 0.9995 && score < 1 - 1e-9 ? ">0.999" : score.toFixed(3).replace("-", "\u2212");
      const early = when > place ? ` (its first policy kept, at ${map.steps[when].toLocaleString("en")} steps)` : "";
      pair.querySelector(".said").textContent =
        `${data.agents[run.a]}, seed ${run.s}, after ${map.steps[place].toLocaleString("en")} steps${early}: ` +
        `score ${value}, ${wrong.toLocaleString("en")} ${wrong === 1 ? "state" : "states"} with a provably wrong action`;
      if (slider) {
        slider.setAttribute("aria-valuetext", map.steps[place].toLocaleString("en") + " steps");
        pair.querySelector("output").textContent = map.steps[place].toLocaleString("en");
        slider.disabled = pair.querySelector(".play").disabled = run.m.length < 2 && last > 0 && run.m[0][0] === last;
      }
    };
    // A cell of the learned map tells the optimum's numbers too; they are kept once, in the other map.
    cells.forEach((cell, k) => {
      const text = answers[k].querySelector(":scope > title")?.textContent;
      if (text) cell.dataset.say = text;
    });

    let timer = 0;
    const stop = () => {
      clearInterval(timer);
      timer = 0;
      if (slider) pair.querySelector(".play").textContent = "\u25b6";
    };
    select.addEventListener("change", () => { stop(); paint(); });
    if (slider) {
      slider.addEventListener("input", () => { stop(); paint(); });
      pair.querySelector(".play").addEventListener("click", () => {
        if (timer) { stop(); return; }
        let place = Number(slider.value) >= last ? 0 : Number(slider.value);
        slider.value = place;
        paint();
        pair.querySelector(".play").textContent = "\u23f8\ufe0e";
        timer = setInterval(() => {
          place += 1;
          slider.value = place;
          paint();
          if (place >= last) stop();
        }, still.matches ? 1200 : 450);
      });
    }
    paint();
  }
})();
