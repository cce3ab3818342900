// Cameras of 3D scenes; while they are linked, all move as one.
//
// For the app and the exported page alike, so nothing here knows either. A page that has plotly.js
// and divs with scenes does, with camera_controls.js,
//   const cameras = new Cameras();
//   for (const div of divs) { cameras.add(div); div.before(cameraButtons(cameras, div)); }
//   divs[0].before(linkSwitch(cameras));

const SCENE = /^scene\d*$/;
const TITLES = 150; // pixels that titles and ticks of axes take, on both sides together
const SETTLED = 3; // frames without a move

class Cameras {
  // `moved(views)` is called with the views whose camera has moved, linked ones once a frame;
  // `home(div, scene)` says where a camera begins, by default where `add` found it.
  constructor({ linked = true, moved = () => {}, home = () => undefined } = {}) {
    Object.assign(this, { isLinked: linked, moved, home });
    this.views = []; // { div, scene, first, camera, shown }
    this.lead = null; // the view that moved last
    this.busy = new Set(); // divs that are being moved from here: what they tell is no news
    this.waiting = 0;
  }

  // Take up the scenes of a div, after each time that plotly.js has drawn it anew.
  add(div) {
    if (!this.views.some((view) => view.div === div)) {
      for (const event of ["plotly_relayouting", "plotly_relayout"]) {
        div.on(event, (change) => this.heed(div, change));
      }
    }
    for (const scene of Object.keys(div._fullLayout).filter((name) => SCENE.test(name))) {
      const camera = plainCamera(div._fullLayout[scene].camera);
      const known = this.views.find((view) => view.div === div && view.scene === scene);
      if (known) Object.assign(known, { camera, shown: camera });
      else this.views.push({ div, scene, first: camera, camera, shown: camera });
    }
  }

  remove(div) {
    this.views = this.views.filter((view) => view.div !== div);
    this.busy.delete(div);
    if (this.lead?.div === div) this.lead = null;
  }

  of(div) {
    return this.views.filter((view) => view.div === div);
  }

  get linked() {
    return this.isLinked;
  }

  set linked(linked) {
    this.isLinked = linked;
    const moved = this.views.find((view) => !sameCamera(view.camera, this.start(view)));
    this.lead ??= moved ?? this.views[0] ?? null;
    if (linked && this.lead) this.tell(this.lead);
  }

  // Move the cameras of a div from here; `next(view)` gives the camera.
  move(div, next) {
    for (const view of this.of(div)) {
      view.camera = plainCamera(next(view));
      view.settling = 0;
      this.tell(view);
    }
    this.show(div);
  }

  // Put views where `camera(view)` has them, each by itself; undefined leaves it.
  put(camera, views = this.views) {
    for (const view of views) {
      const kept = camera(view);
      if (!kept) continue;
      view.camera = plainCamera(kept);
      this.show(view.div);
    }
  }

  reset(div) {
    this.move(div, (view) => this.start(view));
  }

  start(view) {
    return plainCamera(this.home(view.div, view.scene) ?? view.first);
  }

  heed(div, change) {
    for (const view of this.of(div)) {
      const path = `${view.scene}.camera`;
      if (!Object.keys(change).some((key) => key === path || key.startsWith(`${path}.`))) continue;
      // While the mouse is down the layout still holds the camera from before.
      const camera = plainCamera(change[path] ?? div._fullLayout[view.scene].camera);
      // While it is moved from here, only what differs is the viewer's.
      if (this.busy.has(div) && sameCamera(camera, view.shown)) continue;
      view.camera = view.shown = camera;
      view.settling = SETTLED;
      this.tell(view);
    }
  }

  tell(view) {
    this.lead = view;
    this.moved([view]);
    this.wake();
  }

  wake() {
    this.waiting ||= requestAnimationFrame(() => this.spread());
  }

  // plotly.js tells of a move before it has made it, so look where the camera comes to rest.
  settle(view) {
    if (!view.settling) return;
    this.wake();
    if (!this.look(view) && --view.settling === 0) keepCamera(view);
  }

  // Take up what the viewer turned since the last frame, before a div is drawn anew.
  catchUp(div) {
    for (const view of this.of(div)) this.look(view);
  }

  // Take up where a camera really is; return whether that is news.
  look(view) {
    const live = view.div._fullLayout?.[view.scene]?._scene?.getCamera();
    if (!view.settling || this.busy.has(view.div) || !live || sameCamera(live, view.camera)) return false;
    view.camera = view.shown = plainCamera(live);
    view.settling = SETTLED;
    this.moved([view]);
    return true;
  }

  spread() {
    this.waiting = 0;
    for (const view of this.views) this.settle(view);
    if (!this.isLinked || !this.lead) return;
    const late = this.views.filter((view) => !sameCamera(view.camera, this.lead.camera));
    for (const view of late) view.camera = this.lead.camera;
    for (const view of late) this.show(view.div);
    if (late.length) this.moved(late);
  }

  // One move at a time for each div; when it is done, the newest camera is the next.
  async show(div) {
    if (this.busy.has(div)) return;
    this.busy.add(div);
    try {
      for (;;) {
        const late = this.of(div).filter((view) => !sameCamera(view.shown, view.camera));
        if (!late.length) return;
        const change = {};
        for (const view of late) {
          view.shown = view.camera;
          change[`${view.scene}.camera`] = plainCamera(view.camera);
        }
        await window.Plotly.relayout(div, change);
      }
    } finally {
      this.busy.delete(div);
    }
  }
}

// plotly.js writes a drag into the layout with which it set up the scene, not into that of its last
// drawing, only where the mouse is let go on the scene, and not how far the scene then carried on:
// a resize or a downloaded picture would go back to the camera from before.
function keepCamera({ div, scene, camera }) {
  if (div.layout?.[scene]) div.layout[scene].camera = plainCamera(camera);
}

function plainCamera({ eye, center, up, projection }) {
  const copy = ({ x, y, z }) => ({ x, y, z });
  return {
    eye: copy(eye ?? { x: 1.25, y: 1.25, z: 1.25 }),
    center: copy(center ?? { x: 0, y: 0, z: 0 }),
    up: copy(up ?? { x: 0, y: 0, z: 1 }),
    projection: { type: projection?.type ?? "perspective" },
  };
}

function sameCamera(a, b) {
  return ["eye", "center", "up"].every((part) =>
    ["x", "y", "z"].every((side) => Math.abs(a[part][side] - b[part][side]) < 1e-6),
  );
}

// The field of view is fixed by the height, of which `div.viz3dTop` pixels are no scene: in a narrow
// panel the sides would be cut off, the titles of the axes first, which take the same room in each.
function stepBack(camera, div) {
  const height = div.clientHeight - (div.viz3dTop ?? 0);
  const room = Math.max(div.clientWidth - TITLES, div.clientWidth / 3, 1);
  const far = Math.max(1, (0.94 * height) / room);
  const { x, y, z } = camera.eye;
  return { ...camera, eye: { x: far * x, y: far * y, z: far * z } };
}
