// A legend of many rows, as on a phone, makes its panel higher rather than the plot smaller: for the
// app and the exported page alike. Their style sheets add `--viz3d-legend` to the height of a panel.

const LEGEND_ROOM = 45; // the pixels of a legend's first rows, which every panel has room for

async function makeRoomForLegend(div) {
  const rows = Math.max(0, Math.round((div._fullLayout?.legend?._height ?? 0) - LEGEND_ROOM));
  const more = rows - (div.viz3dRows ?? 0);
  if (!more) return;
  div.viz3dTop += more;
  div.viz3dRows = rows;
  div.style.setProperty("--viz3d-legend", `${rows}px`);
  await window.Plotly.Plots.resize(div);
}
