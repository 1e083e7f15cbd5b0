// Draws the usage chart with uPlot in the place of the server's drawing: one line per kind of answer, values under the
// pointer or the arrow keys. Without it the drawing and its table stay.

/* global uPlot */
const place = document.querySelector("[data-series]");
const figure = place?.querySelector("figure");
if (figure && typeof uPlot === "function") draw();

// What a token of the style sheet comes to in the theme that is in force.
function colour(token) {
  const probe = document.createElement("span");
  probe.style.color = `var(${token})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function draw() {
  const { at, answered, refused, failed, step } = JSON.parse(place.dataset.series);
  const lang = document.documentElement.lang;
  const words = [place.dataset.answered, place.dataset.refused, place.dataset.failed];
  const counts = new Intl.NumberFormat(lang);
  const short = new Intl.NumberFormat(lang, { notation: "compact" });
  const shown = (options) => new Intl.DateTimeFormat(lang, { timeZone: "UTC", ...options });
  const day = shown({ day: "numeric", month: "short" });
  const clock = shown({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const whole = step >= 86400
    ? shown({ day: "numeric", month: "short", year: "numeric" })
    : shown({ day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZoneName: "short" });

  const drawing = figure.querySelector("svg[role=img]");
  const plot = document.createElement("div");
  plot.className = "plot";
  plot.tabIndex = 0;
  plot.setAttribute("role", "img");
  plot.setAttribute("aria-label", drawing.getAttribute("aria-label"));
  const legend = document.createElement("figcaption");
  legend.className = "legend";
  words.forEach((word, n) => {
    const key = document.createElement("span");
    key.className = `plot-key ${["answered", "refused", "failed"][n]}`;
    key.textContent = word;
    legend.append(key);
  });
  const readout = document.createElement("output");
  readout.className = "end quiet num";
  const highest = figure.querySelector(".legend .end")?.textContent ?? "";
  readout.textContent = highest;
  legend.append(readout);

  const tell = (index) => {
    if (index == null) {
      readout.textContent = highest;
      return;
    }
    const values = [answered, refused, failed].map((row, n) => `${counts.format(row[index])} ${words[n]}`);
    readout.textContent = [whole.format(at[index] * 1000), ...values].join(" · ");
  };
  const options = () => {
    const [text, line, one, three, four] =
      ["--text-3", "--border", "--series-1", "--series-3", "--series-4"].map(colour);
    const axis = { stroke: text, font: "12px Geist, system-ui, sans-serif", ticks: { show: false } };
    const grid = { stroke: line, width: 1 };
    return {
      width: plot.clientWidth, height: 220, legend: { show: false }, tzDate: (ts) => uPlot.tzDate(new Date(ts * 1000), "Etc/UTC"),
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
      scales: { y: { range: (_, __, most) => [0, Math.max(4, most * 1.05)] } },
      axes: [
        { ...axis, grid: { show: false }, space: 80, values: (_, marks, __, ___, apart) => marks.map((mark) => (apart >= 86400 ? day : clock).format(mark * 1000)) },
        { ...axis, grid, size: 48, values: (_, marks) => marks.map((mark) => (mark % 1 ? "" : short.format(mark))) },
      ],
      series: [
        {},
        { stroke: one, width: 1.5, fill: one.replace("rgb(", "rgba(").replace(")", ", 0.1)"), points: { show: false } },
        { stroke: three, width: 1.5, dash: [6, 4], points: { show: false } },
        { stroke: four, width: 2.5, points: { show: false } },
      ],
      hooks: { setCursor: [(u) => tell(u.cursor.idx)] },
    };
  };
  drawing.replaceWith(plot);
  figure.querySelector(".legend").replaceWith(legend);
  figure.querySelector(".axis")?.remove();
  let chart;
  const redraw = () => {
    chart?.destroy();
    chart = new uPlot(options(), [at, answered, refused, failed], plot);
  };
  redraw();
  new ResizeObserver(() => {
    if (plot.clientWidth !== chart.width) chart.setSize({ width: plot.clientWidth, height: 220 });
  }).observe(plot);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);

  let index = null;
  plot.addEventListener("keydown", (event) => {
    const last = at.length - 1;
    const to = { ArrowLeft: (index ?? at.length) - 1, ArrowRight: (index ?? -1) + 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    index = Math.max(0, Math.min(last, to));
    chart.setCursor({ left: chart.valToPos(at[index], "x"), top: 0 });
  });
  plot.addEventListener("blur", () => {
    index = null;
    chart.setCursor({ left: -10, top: -10 });
  });
}
