// plotly.js itself: fetched once for a page, and set up alike for every chart.

// A plain script tag: the browser then keeps the compiled code from visit to visit, which saves
// more than fetching the file by other means from its cache.
function loadPlotly(url) {
  if (window.Plotly) return Promise.resolve(window.Plotly);
  shared.plotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => {
      shared.plotly = null; // the next chart tries again
      script.remove();
      reject(new Error("plotly.js could not be loaded"));
    };
    document.head.append(script);
  });
  return shared.plotly;
}

function config(Plotly, name, key) {
  const reset = (div) => shared.group.reset(div);
  const home = { name: "resetView", title: "Reset view", icon: Plotly.Icons.home, click: reset };
  return {
    displaylogo: false,
    doubleClick: "reset",
    // plotly.js offers to upload the chart to a service of its maker: not from here.
    plotlyServerURL: "",
    modeBarButtonsToRemove: [
      "sendChartToCloud", "resetCameraDefault3d", "resetCameraLastSave3d", "select2d", "lasso2d",
    ],
    modeBarButtonsToAdd: name === "figure" ? [home] : [],
    toImageButtonOptions: { filename: key, scale: 2 },
  };
}
