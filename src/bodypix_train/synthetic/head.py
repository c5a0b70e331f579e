"""Everything above the collar: skin and its colours, eyes, hair, beards, hats, scarves, glasses."""

from __future__ import annotations

import numpy as np

from .assets import Floats
from .body import Body
from .clothes import HIDDEN, Garment, Tailor
from .looks import Looks, skin_color
from .materials import HAIR, Material, MaterialTable, linear
from .mesh import Mesh, make_mesh, smooth
from .outfits import cloth, cloth_color
from .partmap import PartMap
from .solids import Solid, ball, brim, tube

LEFT_FACE, RIGHT_FACE = 0, 1


class Barber:
    """Measures of the template's head, once; hair and hats for it."""

    def __init__(self, tailor: Tailor, parts: PartMap) -> None:
        self.tailor = tailor
        self.parts = parts
        assets = tailor.assets
        at = assets.template
        self.eye_faces = [
            np.flatnonzero(assets.groups == assets.group_names.index(f"helper-{s}-eye"))
            for s in "lr"
        ]
        self.eye_vertices = [np.unique(assets.faces[faces]) for faces in self.eye_faces]
        self.eye = np.mean([at[v].mean(axis=0) for v in self.eye_vertices], axis=0)
        self.ear = at[parts.ears[0]]
        self.nose = at[parts.nose]
        body = np.unique(assets.faces[tailor.faces["body"]])
        self.top = float(at[body, 2].max())
        bone = assets.bones.index("head")
        self.on_head = ((assets.weight_bones == bone) * assets.weights).sum(axis=1)

    def hairline(self) -> Floats:
        """(V,) metres inside the hairline."""
        at = self.tailor.assets.template
        rise = self.top - self.eye[2]
        front, ear, back = self.nose[1] + 0.01, self.ear[1], self.ear[1] + 0.07
        line = np.interp(
            at[:, 1],
            [front, front + 0.035, 0.5 * (front + ear), ear - 0.005, ear + 0.025, back],
            self.eye[2] + np.array([0.62 * rise, 0.5 * rise, 0.24 * rise, 0.0, -0.05, -0.085]),
        )
        inside = at[:, 2] - line
        ears = np.linalg.norm(np.abs(at * [1, 0, 0]) + at * [0, 1, 1] - self.ear, axis=1) - 0.028
        return np.where(self.on_head > 0.35, np.minimum(inside, ears), -1).astype(np.float32)

    def under_hair(self, looks: Looks) -> Floats:
        """(V,) cut of the skin that hair covers."""
        if looks.style in ("bald", "shaved"):
            return np.ones(len(self.on_head), np.float32)
        return HIDDEN - self.hairline()

    def tint(self, looks: Looks) -> Floats:
        """(V, 3) colours of the face over the skin's: lips, brows, beard, stubble, shaved scalp."""
        at = self.tailor.assets.template
        skin = np.array(skin_color(looks.tone))
        hair = np.minimum(np.array(looks.hair) / skin, 1.0)
        tint = np.ones((len(at), 3))
        lips = self.tailor.assets.lips[:, None] * looks.lips
        tint = tint * (1 - lips) + lips * np.array([0.95, 0.6, 0.62])
        aside = np.abs(at[:, 0]) - abs(self.eye_x())
        brow = np.exp(-(((at[:, 2] - self.eye[2] - 0.021 + 2.5 * aside**2) / 0.0045) ** 2))
        brow *= (np.abs(aside) < 0.021) * (at[:, 1] < self.eye[1])
        mask = 0.85 * brow
        if looks.style != "bald":  # seen through thin hair and at its edge
            mask = np.maximum(mask, 0.75 * np.clip(0.5 + self.hairline() / 0.012, 0, 1))
        if looks.beard:
            mouth = self.nose[2] - 0.03
            low = np.clip((mouth + 0.012 - at[:, 2]) / 0.01, 0, 1)
            cheek = np.clip((np.abs(at[:, 0]) - 0.028) / 0.012, 0, 1)
            cheek *= np.clip((self.nose[2] + 0.0 - at[:, 2] + 0.2 * np.abs(at[:, 0])) / 0.02, 0, 1)
            ahead = np.clip((self.ear[1] - 0.008 - at[:, 1]) / 0.01, 0, 1)
            above = np.clip((at[:, 2] - (mouth - 0.085)) / 0.02, 0, 1)
            chin = np.maximum(low * np.clip(1 - self.tailor.assets.lips * 2, 0, 1), cheek)
            mask = np.maximum(mask, looks.beard * chin * ahead * above * (self.on_head > 0.3))
        return (tint * (1 - mask[:, None]) + hair * mask[:, None]).astype(np.float32)

    def eye_x(self) -> float:
        return float(self.tailor.assets.template[self.eye_vertices[0], 0].mean())

    def headwear(self, rng: np.random.Generator, looks: Looks) -> Garment | None:
        """The part of a hat that fits the skull, or a headscarf."""
        at = self.tailor.assets.template
        if looks.hat == "scarf":
            front = at[:, 1] < self.ear[1] + 0.01
            oval = np.hypot(at[:, 0] / 0.058, (at[:, 2] - self.eye[2] + 0.02) / 0.083) - 1
            cut = np.where(front, 0.06 * oval, 1.0)
            low = at[:, 2] - (self.tailor.neck - rng.uniform(0.05, 0.17))
            cut = np.minimum(cut, np.where(self.tailor.arm_share > 0.3, -1, low))
            return Garment("scarf", cut.astype(np.float32), cloth(rng, plain=0.75), 0.02, 9)
        if looks.hat:
            lift, slope = (0.028, 0.05) if looks.hat == "beanie" else (0.05, 0.12)
            line = self.eye[2] + lift - slope * np.clip(at[:, 1] - self.nose[1] - 0.03, 0, 0.2)
            cut = np.where(self.on_head > 0.5, at[:, 2] - line, -1).astype(np.float32)
            return Garment(looks.hat, cut, cloth(rng, plain=0.75), 0.018, 5)
        return None

    def hair_meshes(
        self,
        looks: Looks,
        body: Body,
        transforms: Floats,
        points: Floats,
        normals: Floats,
        hidden: Floats | None,
        table: MaterialTable,
        owner: int,
    ) -> list[Mesh]:
        """``hidden``: (V,) cut of a hat or scarf that covers hair."""
        if looks.style in ("bald", "shaved") or looks.hat == "scarf":
            return []
        assets, tailor = self.tailor.assets, self.tailor
        cut = self.hairline()
        if hidden is not None:
            cut = np.minimum(cut, HIDDEN - hidden)
        light = 1.7 if max(looks.hair) > 0.05 else 2.6
        color = np.array(looks.hair)
        material = table.add(
            Material(
                tuple(0.75 * color),
                tuple(np.minimum(light * color + 0.004, 1)),
                HAIR,
                bump=0.3,
                bump_scale=60,
                shine=0.1,
                gloss=9,
                fray=0.012,
            )
        )
        gap = {"afro": 0.045 + looks.volume, "short": 0.5 * looks.volume + 0.003}.get(
            looks.style, looks.volume + 0.004
        )
        inside = np.clip(self.hairline() / 0.05, 0.12, 1)[:, None]
        faces = tailor.faces["body"]
        corners = assets.faces[faces]
        kept = (cut[corners] > -0.04).any(axis=1)
        used = np.unique(corners[kept])
        local = np.full(len(points), -1, np.int32)
        local[used] = np.arange(len(used))
        shell = points + normals * np.float32(gap) * inside
        shell[used] = smooth(shell[used], local[corners[kept]], 10 if looks.style == "afro" else 4)
        # Smoothing draws a round shell inwards: no nearer to the skull than most of the gap.
        away = ((shell - points) * normals).sum(axis=1, keepdims=True)
        short = np.maximum(0.75 * np.float32(gap) * inside + 0.002 - away, 0)
        shell = (shell + short * normals).astype(np.float32)
        meshes = [
            make_mesh(
                shell,
                corners[kept],
                material,
                rest=assets.template,
                cut=cut,
                part=self.parts.parts[faces[kept]],
                owner=owner,
            )
        ]
        if looks.style == "long":
            meshes.append(self._curtain(looks, body, transforms, material, owner))
        return meshes

    def _curtain(
        self, looks: Looks, body: Body, transforms: Floats, material: int, owner: int
    ) -> Mesh:
        """Long hair: a sheet around the back of the head that falls on the shoulders."""
        rest, ears = body.rest, self.parts.ears
        eyes = np.mean([rest[v].mean(axis=0) for v in self.eye_vertices], axis=0)
        ear = rest[ears[0]]
        skull = rest[self.on_head > 0.9]
        wide = float(np.abs(ear[0])) + 0.004 + 0.5 * looks.volume
        deep = float(skull[:, 1].max() - ear[1]) + 0.012 + 0.5 * looks.volume
        rows, columns = 16, 33
        down = np.linspace(0, 1, rows)[:, None]
        around = np.radians(np.linspace(-104, 104, columns))[None, :]
        height = 0.045 - down * (0.045 + looks.length)
        flare = 1 + 0.35 * np.clip(-height / 0.25, 0, 1) + 0 * around
        wave = 1 + 0.03 * np.sin(9 * around + 3 * down) * down
        grid = np.stack(
            [
                wide * flare * wave * np.sin(around),
                ear[1]
                + 0.3 * deep * np.clip(-height / 0.2, 0, 1) * 0.5
                + deep * wave * np.cos(around),
                eyes[2] + height + 0 * around,
            ],
            axis=2,
        ).reshape(-1, 3)
        head, trunk = (transforms[body.assets.bones.index(bone)] for bone in ("head", "spine01"))
        share = np.clip((-height - 0.09) / 0.16, 0, 1) + 0 * around
        share = share.reshape(-1, 1)
        posed = (1 - share) * (grid @ head[:, :3].T + head[:, 3]) + share * (
            grid @ trunk[:, :3].T + trunk[:, 3]
        )
        index = np.arange(rows * columns).reshape(rows, columns)
        a, b, c, d = (
            x.ravel() for x in (index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:])
        )
        faces = np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)]).astype(np.int32)
        cut = (0.016 - 0.05 * np.maximum(down - 0.9, 0) * 8 + 0 * around).astype(np.float32).ravel()
        side = np.where(grid[faces].mean(axis=1)[:, 0] > 0, LEFT_FACE, RIGHT_FACE)
        return make_mesh(
            posed.astype(np.float32),
            faces,
            material,
            rest=grid.astype(np.float32),
            cut=cut,
            part=side,
            owner=owner,
        )

    def fixed_meshes(
        self,
        rng: np.random.Generator,
        looks: Looks,
        body: Body,
        head: Floats,
        hat: Garment | None,
        table: MaterialTable,
        owner: int,
    ) -> list[Mesh]:
        """What moves with the skull: brims, buns, glasses. ``head``: (3, 4) of the head bone."""
        rest = body.rest
        eyes = [rest[v].mean(axis=0) for v in self.eye_vertices]
        front = float(min(rest[v, 1].min() for v in self.eye_vertices))
        ear = rest[self.parts.ears[0]]
        middle = 0.5 * (eyes[0] + eyes[1])
        things: list[tuple[Solid, int]] = []
        if hat is not None and looks.hat in ("cap", "hat"):
            deep = 0.5 * (ear[1] - front) + 0.055
            if looks.hat == "cap":
                ring = brim((0.066, deep), (0.07, deep + 0.075), 52.0, 0.015)
            else:
                ring = brim((0.07, deep), (0.15, deep + 0.08), 180.0, 0.02)
            at = np.array([0, front + deep + 0.005, middle[2] + 0.046])
            things.append(((ring[0] + at.astype(np.float32), ring[1]), table.add(hat.material)))
        if looks.style in ("bun", "tail") and not looks.hat:
            material = table.add(
                Material(looks.hair, tuple(1.8 * np.array(looks.hair)), HAIR, shine=0.2)
            )
            at = np.array([0, ear[1] + 0.105, middle[2] + rng.uniform(-0.03, 0.06)])
            if looks.style == "bun":
                points, faces = ball(rng.uniform(0.028, 0.045))
            else:
                drop = np.linspace(0, rng.uniform(0.12, 0.3), 8)
                points, faces = tube(
                    np.stack([0 * drop, 0.25 * np.sin(6 * drop) * drop, -drop], 1), 0.024
                )
            things.append(((points + at.astype(np.float32), faces), material))
        if looks.glasses:
            things += self._glasses(rng, looks.glasses, eyes, front, ear, table)
        meshes = []
        for (points, faces), material in things:
            posed = points @ head[:, :3].T + head[:, 3]
            side = np.where(points[faces].mean(axis=1)[:, 0] > 0, LEFT_FACE, RIGHT_FACE)
            meshes.append(make_mesh(posed, faces, material, rest=points, part=side, owner=owner))
        return meshes

    def _glasses(
        self,
        rng: np.random.Generator,
        kind: str,
        eyes: list[Floats],
        front: float,
        ear: Floats,
        table: MaterialTable,
    ) -> list[tuple[Solid, int]]:
        dark = kind == "sun"
        radius = {"thin": 0.0011, "thick": 0.0024, "sun": 0.002}[kind]
        color = linear(20, 18, 18) if dark or rng.random() < 0.6 else cloth_color(rng)
        frame = table.add(Material(color, shine=0.4))
        wide, tall, square = (
            rng.uniform(0.022, 0.028),
            rng.uniform(0.016, 0.025),
            rng.uniform(0.5, 1),
        )
        angles = np.linspace(0, 2 * np.pi, 20, endpoint=False)
        plane = front - 0.011
        things: list[tuple[Solid, int]] = []
        for eye, sign in zip(eyes, (1, -1), strict=True):
            round_x = np.sign(np.cos(angles)) * np.abs(np.cos(angles)) ** square
            round_z = np.sign(np.sin(angles)) * np.abs(np.sin(angles)) ** square
            ring = np.stack(
                [
                    eye[0] + sign * 0.003 + wide * round_x,
                    np.full(20, plane),
                    eye[2] - 0.003 + tall * round_z,
                ],
                1,
            )
            things.append((tube(ring, radius, closed=True), frame))
            hinge = ring[0 if sign > 0 else 10]
            end = np.array([sign * abs(ear[0]) * 0.93, ear[1], eye[2] + 0.004])
            things.append((tube(np.linspace(hinge, end, 4), radius), frame))
            if dark:
                fan = np.array([[0, k + 1, (k + 1) % 20 + 1] for k in range(20)], np.int32)
                lens = np.concatenate([ring.mean(axis=0, keepdims=True), ring]).astype(np.float32)
                things.append(((lens, fan), table.add(Material(linear(24, 24, 28), shine=0.5))))
        bridge = np.linspace(
            eyes[0] - [wide - 0.003, 0, -0.002], eyes[1] + [wide - 0.003, 0, 0.002], 4
        )
        bridge[:, 1] = plane - 0.002
        things.append((tube(bridge, radius), frame))
        return things

    def eye_meshes(
        self, looks: Looks, points: Floats, rest: Floats, table: MaterialTable, owner: int
    ) -> list[Mesh]:
        white = table.add(Material((0.62, 0.58, 0.55), shine=0.5, gloss=60))
        meshes = []
        for faces, vertices, part in zip(
            self.eye_faces, self.eye_vertices, (LEFT_FACE, RIGHT_FACE), strict=True
        ):
            around = rest[vertices] - rest[vertices].mean(axis=0)
            radius = np.abs(around).max()
            off = np.hypot(around[:, 0], around[:, 2]) / radius
            tint = np.ones((len(rest), 3), np.float32)
            iris = vertices[(off < 0.62) & (around[:, 1] < 0)]
            tint[iris] = np.array(looks.eyes) / 0.6
            tint[vertices[(off < 0.22) & (around[:, 1] < 0)]] = 0.02
            meshes.append(
                make_mesh(
                    points,
                    self.tailor.assets.faces[faces],
                    white,
                    tint=tint,
                    part=part,
                    owner=owner,
                )
            )
        return meshes
