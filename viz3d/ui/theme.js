// The colours and the font of the page, laid over those of a figure.

function readTheme(root) {
  const style = getComputedStyle(root);
  const read = (name) => style.getPropertyValue(`--st-${name}`).trim();
  const text = read("text-color") || "#31333f";
  const background = read("background-color") || "#ffffff";
  const [grid, soft] = [0.25, 0.65].map((share) => mix(text, background, share));
  return { text, background, grid, soft, font: read("font") || "sans-serif" };
}

// An opaque colour between text and background: WebGL lines ignore transparency.
function mix(front, back, share) {
  const [a, b] = [channels(front), channels(back)];
  return `rgb(${a.map((value, i) => Math.round(share * value + (1 - share) * b[i])).join(", ")})`;
}

function channels(color) {
  const pen = document.createElement("canvas").getContext("2d");
  pen.fillStyle = color;
  pen.fillRect(0, 0, 1, 1);
  return [...pen.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

// Put the page's colours over those of the figure, which is neutral by itself. The page has a title
// of its own, so that of the figure would only take room.
function dress(data, layout, theme) {
  const bars = [layout.coloraxis, ...data.flatMap((trace) => [trace, trace.marker, trace.line])]
    .map((holder) => holder?.colorbar)
    .filter(Boolean);
  for (const bar of bars) bar.tickfont = { ...bar.tickfont, color: theme.text };
  const axis = { color: theme.text, gridcolor: theme.grid, linecolor: theme.grid, zerolinecolor: theme.grid };
  Object.assign(layout, {
    autosize: true,
    paper_bgcolor: "rgba(0, 0, 0, 0)",
    plot_bgcolor: "rgba(0, 0, 0, 0)",
    font: { ...layout.font, color: theme.text, family: theme.font },
    modebar: { bgcolor: "rgba(0, 0, 0, 0)", color: theme.soft, activecolor: theme.text },
  });
  layout.hoverlabel = {
    ...layout.hoverlabel,
    bgcolor: theme.background,
    bordercolor: theme.grid,
    font: { ...layout.hoverlabel?.font, color: theme.text, family: theme.font },
  };
  layout.margin = { ...layout.margin, t: bars.length ? 72 : 28 };
  delete layout.title;
  delete layout.width;
  delete layout.height;
  for (const [name, part] of Object.entries(layout)) {
    if (/^[xy]axis\d*$/.test(name)) Object.assign(part, axis);
    if (!SCENE.test(name)) continue;
    part.bgcolor = "rgba(0, 0, 0, 0)";
    for (const side of ["xaxis", "yaxis", "zaxis"]) {
      part[side] = { ...part[side], ...axis, showbackground: false };
    }
  }
}
