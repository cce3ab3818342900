// A place marked in a scene or a flat chart: lines and a dot over the picture, not part of it.
//
// plotly.js would draw every surface anew for each mark, and would export it. So the place is put
// through the camera here and drawn in an SVG that lies on the chart.

const FIELD_OF_VIEW = Math.PI / 4; // that of plotly.js, from top to bottom
const SIDES = ["x", "y", "z"];
// Flat titles have entities where those of a scene, which knows none, have the sign (figures/text.py).
const SIGNS = { "&amp;": "&", "&lt;": "‹", "&gt;": "›", "&#36;": "$", "&#37;": "%" };

class Marks {
  // `cameras` knows where the scenes are seen from.
  constructor(cameras) {
    this.cameras = cameras;
    this.panels = new Map(); // div -> { svg, pointed, focus }
    this.source = null; // the div under the pointer
    this.place = null;
    this.waiting = 0;
  }

  // `svg` lies on the div; called once for each div, after plotly.js has drawn it.
  add(div, svg) {
    this.panels.set(div, { svg, pointed: null, focus: null });
    div.on("plotly_hover", ({ points }) => this.point(div, points[0]));
    div.on("plotly_unhover", () => this.point(div, null));
    div.on("plotly_afterplot", () => this.draw(div));
    div.addEventListener("pointerleave", () => this.point(div, null));
  }

  remove(div) {
    this.panels.delete(div);
    if (this.source === div) this.point(div, null);
  }

  // Mark a place for good, or with null no longer; say whether it lies within the axes.
  focus(div, place) {
    this.panels.get(div).focus = place;
    this.draw(div);
    return Boolean(place && placeOn(axesOf(div), place));
  }

  // Mark what the pointer is on in all other charts with the same axes, once a frame.
  point(div, place) {
    if (!place && this.source !== div) return;
    this.source = place ? div : null;
    this.place = place;
    this.waiting ||= requestAnimationFrame(() => {
      this.waiting = 0;
      const from = this.source && axesOf(this.source);
      for (const [other, panel] of this.panels) {
        const before = panel.pointed;
        panel.pointed = from && other !== this.source ? sharedPlace(this.place, from, axesOf(other)) : null;
        if (panel.pointed || before) this.draw(other);
      }
    });
  }

  draw(div) {
    const panel = this.panels.get(div);
    if (!panel || !div._fullLayout) return;
    const marks = [panel.focus, panel.pointed].filter(Boolean);
    panel.svg.replaceChildren(...marks.flatMap((place) => this.shapes(div, place)));
  }

  shapes(div, place) {
    const picture = pictureOf(div, this.cameras);
    const at = placeOn(picture.axes, place);
    if (!at) return [];
    const lines = (picture.flat ? flatLines : sceneLines)(at).map((ends) => ends.map(picture.onScreen));
    const path = lines
      .filter((ends) => ends.every(Boolean))
      .map((ends) => `M${ends.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join("L")}`)
      .join("");
    const made = [svgElement("path", { d: path, class: "viz3d-halo" }), svgElement("path", { d: path })];
    const known = picture.flat ? at.slice(0, 2) : at;
    const dot = picture.onScreen(known.map((part) => part ?? 0.5));
    if (!dot) return made;
    if (known.every((part) => part !== null)) made.push(svgElement("circle", { cx: dot[0], cy: dot[1], r: 5 }));
    if (place.label) {
      const left = dot[0] > div.clientWidth / 2;
      const text = svgElement("text", { x: dot[0] + (left ? -9 : 9), y: dot[1] - 9 });
      text.setAttribute("text-anchor", left ? "end" : "start");
      text.textContent = place.label;
      made.push(text);
    }
    return made;
  }
}

function svgElement(tag, attributes = {}) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function axesOf(div) {
  const layout = div._fullLayout;
  const holder = layout?.scene ?? layout;
  return SIDES.map((side) => holder?.[`${side}axis`]);
}

// What of a place means the same on other axes: nothing unless x and y do.
function sharedPlace(place, from, to) {
  const title = (axis) => axis.title.text.replace(/&(amp|lt|gt|#36|#37);/g, (entity) => SIGNS[entity]);
  const same = SIDES.map((_, i) => Boolean(from[i] && to[i] && title(from[i]) === title(to[i])));
  if (!same[0] || !same[1]) return null;
  return { x: place.x, y: place.y, z: same[2] ? place.z : null };
}

// Where on an axis a value lies: 0 at the beginning, 1 at the end, null where there is neither.
function share(axis, value) {
  if (!axis || value === null || value === undefined || value === "") return null;
  const number = axis.type === "log" ? Math.log10(value) : Number(value);
  const part = (number - axis.range[0]) / (axis.range[1] - axis.range[0]);
  return Number.isFinite(part) ? part : null;
}

// The shares of a place on three axes, null where it is anywhere; null if it lies outside.
function placeOn(axes, place) {
  const at = SIDES.map((side, i) => share(axes[i], place[side]));
  const inside = (part) => part === null || (part > -1e-6 && part < 1 + 1e-6);
  // Heights may be cut off by the axis; where that happened can still be said.
  if (!inside(at[2]) && (at[0] !== null || at[1] !== null)) at[2] = null;
  return at.every((part) => part === null) || !at.every(inside) ? null : at;
}

function flatLines([x, y]) {
  const lines = [];
  if (x !== null) lines.push([[x, 0], [x, 1]]);
  if (y !== null) lines.push([[0, y], [1, y]]);
  return lines;
}

// A line up through the place and a cross on the floor; of a plane, its outline.
function sceneLines(at) {
  const known = [0, 1, 2].filter((i) => at[i] !== null);
  if (known.length === 1) {
    const [a, b] = [0, 1, 2].filter((i) => i !== known[0]);
    const corner = (u, v) => at.map((part, i) => (i === a ? u : i === b ? v : part));
    return [[corner(0, 0), corner(1, 0), corner(1, 1), corner(0, 1), corner(0, 0)]];
  }
  const along = (i, floor) => [0, 1].map((end) => at.map((part, j) => (j === i ? end : j === 2 ? floor : part)));
  if (known.length === 2 && at[2] !== null) return [along(at[0] === null ? 0 : 1, at[2])];
  return [along(2), along(0, 0), along(1, 0)];
}

// The axes of a chart and how to get from shares of them to pixels.
function pictureOf(div, cameras) {
  const layout = div._fullLayout;
  const { l, t, w, h } = layout._size;
  const axes = axesOf(div);
  if (!layout.scene) {
    const [x, y] = axes;
    const between = (domain, part) => domain[0] + part * (domain[1] - domain[0]);
    const onScreen = ([a, b]) => [l + w * between(x.domain, a), t + h * (1 - between(y.domain, b))];
    return { flat: true, axes: axes.slice(0, 2), onScreen };
  }
  const { domain, aspectratio } = layout.scene;
  const box = [l + domain.x[0] * w, t + (1 - domain.y[1]) * h];
  const [width, height] = [(domain.x[1] - domain.x[0]) * w, (domain.y[1] - domain.y[0]) * h];
  const { camera } = cameras.of(div).find((view) => view.scene === "scene");
  const seen = lens(camera);
  const zoom = height / 2 / Math.tan(FIELD_OF_VIEW / 2);
  const onScreen = (at) => {
    const [right, up, ahead] = seen(SIDES.map((side, i) => (at[i] - 0.5) * aspectratio[side]));
    if (ahead < 0.01) return null;
    return [box[0] + width / 2 + (zoom * right) / ahead, box[1] + height / 2 - (zoom * up) / ahead];
  };
  return { flat: false, axes, onScreen };
}

// From scene units to right, up and ahead of a camera.
function lens({ eye, center, up }) {
  const list = ({ x, y, z }) => [x, y, z];
  const cross = ([a, b, c], [d, e, f]) => [b * f - c * e, c * d - a * f, a * e - b * d];
  const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
  const unit = (a) => a.map((part) => part / Math.hypot(...a));
  const from = list(eye);
  const ahead = unit(list(center).map((part, i) => part - from[i]));
  const right = unit(cross(ahead, list(up)));
  const above = cross(right, ahead);
  return (point) => {
    const away = point.map((part, i) => part - from[i]);
    return [dot(away, right), dot(away, above), dot(away, ahead)];
  };
}

// Look at a place without turning: center and eye move together. What is unknown stays.
function lookedAt(view, place) {
  const { aspectratio } = view.div._fullLayout[view.scene];
  const { eye, center } = view.camera;
  const moved = { eye: { ...eye }, center: { ...center } };
  for (const [i, axis] of axesOf(view.div).entries()) {
    const side = SIDES[i];
    const part = share(axis, place[side]);
    if (part === null) continue;
    moved.center[side] = (Math.max(0, Math.min(1, part)) - 0.5) * aspectratio[side];
    moved.eye[side] += moved.center[side] - center[side];
  }
  return { ...view.camera, ...moved };
}
