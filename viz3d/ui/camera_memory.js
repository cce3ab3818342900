// Cameras, one per chart and scene, are kept over runs of the page, other data and other pages.

// `shared.cameras` holds each camera that a viewer moved, the latest last, and `shared.linked` whether
// they move as one. Who sets them from elsewhere says so with the event "viz3d:cameras".
function openCameras(shared) {
  if (shared.group) return;
  const stored = load("viz3d.cameras") ?? [];
  shared.cameras = new Map([...stored, ...(shared.cameras ?? [])]);
  shared.linked ??= load("viz3d.linked") ?? true;
  shared.group = new Cameras({ linked: shared.linked, moved: rememberCameras, home: homeCamera });
  shared.marks = new Marks(shared.group);
  shared.linkSwitch = linkSwitch(shared.group);
  shared.linkSwitch.addEventListener("change", () => {
    shared.linked = shared.group.linked;
    save("viz3d.linked", shared.linked);
  });
  window.addEventListener("viz3d:cameras", readCameras);
}

function cameraKey(div, scene) {
  return `${div.viz3dKey}/${scene}`;
}

// Linked scenes look from where any of them was moved last.
function recall(div, scene) {
  const own = cameraKey(div, scene);
  if (!shared.linked) return shared.cameras.get(own);
  const keys = new Set([own, ...shared.group.views.map((view) => cameraKey(view.div, view.scene))]);
  const latest = [...shared.cameras.keys()].filter((key) => keys.has(key)).at(-1);
  return shared.cameras.get(latest);
}

function rememberCameras(views) {
  for (const { div, scene, camera } of views) {
    const key = cameraKey(div, scene);
    shared.cameras.delete(key);
    if (!sameCamera(camera, plainCamera(homeCamera(div, scene)))) shared.cameras.set(key, camera);
    shared.marks.draw(div);
  }
  save("viz3d.cameras", [...shared.cameras]);
}

function readCameras() {
  shared.linkSwitch.querySelector("input").checked = shared.group.isLinked = shared.linked;
  save("viz3d.linked", shared.linked);
  save("viz3d.cameras", [...shared.cameras]);
  shared.group.put((view) => shared.cameras.get(cameraKey(view.div, view.scene)));
  for (const { div } of shared.group.views) shared.marks.draw(div);
}

function homeCamera(div, scene) {
  return stepBack(div.viz3dHome[scene], div);
}

function load(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key));
  } catch {
    return null;
  }
}

function save(key, value) {
  try {
    sessionStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Storage is full or switched off: what is said lasts as long as the page.
  }
}
