// WebGL contexts: each scene takes one, and a browser allows few, so scenes give way to one another.

const MOST_CONTEXTS = 8;
const NO_WEBGL =
  "This browser has WebGL switched off, which the 3D view needs; here are the same numbers in 2D.";
const CROWDED =
  `A browser draws no more than ${MOST_CONTEXTS} scenes on one page; here are the same numbers in 2D.`;

// Take the contexts that the scenes of a chart's figure need; return why there are none, if so.
function claimContexts(chart, figure) {
  const wanted = Object.keys(figure?.layout ?? {}).filter((name) => SCENE.test(name)).length;
  const none = wanted > 0 && !hasWebgl();
  // Where the twin stands beside the scene, less is lost without the scene.
  const gives = chart.beside ? () => false : (other) => other.beside && !other.asked;
  chart.crowded = !none && wanted > 0 && !makeRoom(chart, wanted, gives);
  chart.contexts = none || chart.crowded ? 0 : wanted;
  chart.ask.hidden = !chart.crowded;
  if (chart.crowded) return CROWDED;
  return none ? NO_WEBGL : "";
}

// Let other charts that give way become flat, the farthest first, until there is room for so many
// contexts; return whether there is.
function makeRoom(chart, wanted, gives) {
  const others = [...shared.charts].filter((other) => other !== chart && other.contexts);
  let free = MOST_CONTEXTS - others.reduce((sum, other) => sum + other.contexts, 0);
  const place = (other) => other.root.getBoundingClientRect().top;
  const far = (other) => Math.abs(place(other) - place(chart));
  const giving = others.filter(gives).sort((a, b) => far(b) - far(a));
  const chosen = [];
  while (free < wanted && giving.length) {
    chosen.push(giving.shift());
    free += chosen.at(-1).contexts;
  }
  if (free < wanted) return false;
  chart.contexts = wanted; // so that none of them takes its own back
  for (const other of chosen) {
    other.asked = false;
    other.contexts = 0;
    other.redraw();
  }
  return true;
}

// There is room again: a chart that had none draws its scene.
function drawCrowded() {
  for (const chart of shared.charts) {
    if (chart.crowded) chart.redraw();
  }
}

let webgl;
function hasWebgl() {
  if (webgl === undefined) {
    const gl = document.createElement("canvas").getContext("webgl");
    webgl = Boolean(gl);
    gl?.getExtension("WEBGL_lose_context")?.loseContext();
  }
  return webgl;
}
