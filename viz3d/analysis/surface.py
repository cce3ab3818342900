from __future__ import annotations
from dataclasses import dataclass
import numpy as np
from viz3d.analysis.surface_model import SurfaceModel

@dataclass(frozen=True)
class Surface:
    x: object; y: object; z: object; lower: object; upper: object; support: object
    model: object

def fit_surface(x, y, z, run=None, *, grid=96, **k):
    m = SurfaceModel(**k).fit(x, y, z, run)
    t = np.linspace(0, 1, grid)
    gx, gy = m.x_axis_.data(t), m.y_axis_.data(t)
    X, Y = np.meshgrid(gx, gy)
    p = m.predict(X.ravel(), Y.ravel())
    hide = p.support == 0
    sh = lambda a: np.where(hide, np.nan, a).reshape(grid, grid)
    return Surface(gx, gy, sh(p.z), sh(p.lower), sh(p.upper), p.support.reshape(grid, grid), m)
