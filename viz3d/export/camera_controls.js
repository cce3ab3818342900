// How cameras are moved from the page: presets by button and key, turns and zooms by key, the link switch.

const TURN = Math.PI / 18; // one press of an arrow key
const ZOOM = 1.15;
const STEEPEST = Math.PI / 2 - 0.001; // straight above, a turntable has no "up"

// Seen from where x runs to the right, or y does, or both as in the flat twin.
const PRESETS = [
  { name: "Isometric", key: "1", says: "Look from a corner", from: [-1, -1, 1] },
  { name: "Top", key: "2", says: "Look straight down", from: [0, -Math.cos(STEEPEST), 1] },
  { name: "Along x", key: "3", says: "Look along x", axis: "xaxis", from: [1, 0, 0] },
  { name: "Along y", key: "4", says: "Look along y", axis: "yaxis", from: [0, -1, 0] },
  { name: "Reset", key: "0", says: "Back to the first view" },
];
const CAMERA_KEYS =
  "Arrow keys turn the scene, plus and minus zoom, " +
  `${PRESETS.map(({ name, key }) => `${key} ${name.toLowerCase()}`).join(", ")}.`;

// Where the camera stands, seen from its center: angles in radians and the distance.
function standpoint({ eye, center }) {
  const [x, y, z] = [eye.x - center.x, eye.y - center.y, eye.z - center.z];
  return { around: Math.atan2(y, x), above: Math.atan2(z, Math.hypot(x, y)), far: Math.hypot(x, y, z) };
}

function placed(camera, { around, above, far }) {
  const { center } = camera;
  const steep = Math.max(-STEEPEST, Math.min(STEEPEST, above));
  const flat = far * Math.cos(steep);
  const eye = {
    x: center.x + flat * Math.cos(around),
    y: center.y + flat * Math.sin(around),
    z: center.z + far * Math.sin(steep),
  };
  return { ...camera, eye, up: { x: 0, y: 0, z: 1 } };
}

function choosePreset(cameras, div, { from }) {
  if (!from) return cameras.reset(div);
  const [x, y, z] = from;
  return cameras.move(div, (view) => {
    const { far } = standpoint(cameras.start(view));
    const { around, above } = standpoint({ eye: { x, y, z }, center: { x: 0, y: 0, z: 0 } });
    return placed(view.camera, { around, above, far });
  });
}

// Turn and zoom while the scene has the focus, as dragging and the wheel do.
function cameraByKeys(cameras, div, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const preset = PRESETS.find(({ key }) => key === event.key);
  const turns = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const zooms = { "+": 1 / ZOOM, "=": 1 / ZOOM, "-": ZOOM };
  const [around, above] = turns[event.key] ?? [0, 0];
  const zoom = zooms[event.key] ?? 1;
  if (!preset && !around && !above && zoom === 1) return;
  event.preventDefault();
  if (preset) choosePreset(cameras, div, preset);
  else {
    cameras.move(div, (view) => {
      const now = standpoint(view.camera);
      const next = { around: now.around + around * TURN, above: now.above + above * TURN };
      return placed(view.camera, { ...next, far: now.far * zoom });
    });
  }
}

// The row of presets above a scene; `titles` are those of its axes, by "xaxis" and "yaxis".
function cameraButtons(cameras, div, titles = {}) {
  const row = document.createElement("div");
  row.className = "viz3d-camera";
  row.setAttribute("role", "group");
  row.setAttribute("aria-label", "Camera");
  for (const preset of PRESETS) {
    const button = document.createElement("button");
    const says = titles[preset.axis] ? `${preset.says} (${titles[preset.axis]})` : preset.says;
    button.type = "button";
    button.textContent = preset.name;
    button.title = `${says}; key ${preset.key} in the scene`;
    button.setAttribute("aria-label", `${preset.name}: ${says.toLowerCase()}`);
    button.addEventListener("click", () => choosePreset(cameras, div, preset));
    row.append(button);
  }
  return row;
}

function linkSwitch(cameras) {
  const label = document.createElement("label");
  const box = document.createElement("input");
  label.className = "viz3d-link";
  label.title = "All scenes of this page turn together";
  box.type = "checkbox";
  box.setAttribute("role", "switch");
  box.checked = cameras.linked;
  box.addEventListener("change", () => {
    cameras.linked = box.checked;
  });
  label.append(box, "Link cameras");
  return label;
}
