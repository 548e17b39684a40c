"""Oracle, part 5: the running state of one course, its events, and the solver restarted between them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import oracle_equations as eq
import oracle_inputs as inputs
import oracle_timeline as line
from oracle_release import Law, law_of
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

RTOL = 1e-10
ATOL_AMOUNT = 1e-14  # of the drug's total dose
ATOL_BLOOD = 1e-14  # of the baseline
ATOL_TUMOUR = 1e-13  # hypoxia, ln(v/v0); of v0 for necrosis
SIZE = len(eq.STATES)


class Depot:
    """What one dose of one drug left behind in the places of `eq.PLACES`."""

    def __init__(self, drug: int, dose: line.Dose, law: Law, amounts: list[float]) -> None:
        self.drug, self.start, self.end, self.law, self.amounts = drug, dose.start, dose.end, law, amounts
        self.length = float(dose.end - dose.start)

    def events(self) -> list[Fraction]:
        """Times at which the formula of the release rate changes, and the law's own times for safety."""
        after = [Fraction(0), *(Fraction(t) for t in self.law.kinks + self.law.marks)]
        return [origin + t for origin in (self.start, self.end) for t in after]

    def begin(self, t: Fraction) -> None:
        """Fix the pieces in force on the stretch that starts at `t`."""
        self.since_start, self.since_end = float(t - self.start), float(t - self.end)
        self.laying = t < self.end
        kinks = [Fraction(k) for k in self.law.kinks]
        self.piece = bisect_right(kinks, t - self.start)
        self.piece_back = bisect_right(kinks, t - self.end)

    @property
    def clock_power(self) -> float:
        """p of the local clock x = s^p that makes a start like t^b smooth."""
        fresh = self.since_start == 0 or self.since_end == 0
        return 1 / self.law.singular if fresh and self.law.singular else 1.0

    def rate(self, x: float) -> float:
        """Release rate per unit of amount [1/h] at the local time x: F'(t), or (F(t) - F(t - T))/T."""
        if self.length == 0:
            return self.law.density(self.since_start + x, self.piece)
        if self.laying:
            return self.law.cumulative(self.since_start + x, self.piece) / self.length
        return self.law.window(self.since_end + x, self.length, self.piece, self.piece_back) / self.length


class Course:
    """The running state of one simulation."""

    def __init__(self, spec: dict[str, Any]) -> None:
        overrides = spec.get("overrides") or {}
        self.with_drug, with_kill, self.with_retention = (bool(s) for s in spec.get("switches", (1, 1, 1)))
        patient = inputs.overridden(inputs.read("patients", spec["patient"]), "patients", "patient", overrides)
        catheter = inputs.overridden(
            inputs.read("catheters", spec.get("catheter") or "lobar"), "catheters", "catheter", overrides
        )
        self.schedule = line.schedule(spec)
        self.until = Fraction(float(spec["until_h"]))
        self.names = list(dict.fromkeys(name for dose in self.schedule.doses for name in dose.drugs))
        self.drugs = [inputs.drug_constants(name, patient, overrides) for name in self.names]
        self.tumour = inputs.tumour_constants(patient, catheter)
        self.supply = inputs.supply_constants(patient, catheter)
        self.case = SimpleNamespace(
            drugs=self.drugs,
            tumour=self.tumour,
            k_hyp=self.tumour.k_hyp if with_kill else 0.0,
            marrow=inputs.marrow_constants(patient, self.drugs),
        )
        self.critical = [self.tumour.s_crit, self.tumour.s_crit, patient["liver.critical_supply"]]
        self.delivered = [0.0] * len(self.drugs)  # into the tumour's zones by injection, dissolved and depot [mg]
        self.depots: list[Depot] = []
        self.infusions: list[SimpleNamespace] = []
        self.last_reading: Fraction | None = None
        self._first_state()
        self._read_geometry()

    # ---- state ------------------------------------------------------------------------------------------

    def _first_state(self) -> None:
        n = len(self.drugs)
        self.y = np.zeros(n * SIZE + eq.response_size(n))
        self.response_at = n * SIZE
        scale = np.full(self.y.size, ATOL_TUMOUR)
        for i, name in enumerate(self.names):
            total = sum(dose.drugs.get(name, 0.0) for dose in self.schedule.doses)
            scale[i * SIZE : (i + 1) * SIZE] = ATOL_AMOUNT * total
        scale[self.response_at + 4 : self.response_at + 7 + n] *= sum(self.tumour.v0) or 1.0
        for number, name in enumerate(eq.LINES):
            at = self.response_at + 7 + n + 5 * number
            circ0 = self.case.marrow[name].circ0
            self.y[at] = np.log(circ0)
            self.y[at + 1 : at + 5] = circ0
            scale[at + 1 : at + 5] = ATOL_BLOOD * circ0
        self.atol = scale

    def viable(self) -> list[float]:
        """v_z [L]."""
        u = self.y[self.response_at + 2 : self.response_at + 4]
        return [v0 * float(np.exp(x)) for v0, x in zip(self.tumour.v0, u, strict=True)]

    def necrotic(self) -> list[float]:
        """n_z [L]."""
        return [float(n) for n in self.y[self.response_at + 4 : self.response_at + 6]]

    def _read_geometry(self) -> None:
        self.geo = line.geometry(self.tumour, self.supply, self.viable(), self.necrotic())
        self.case.regions = [eq.regions_of(d, self.tumour, self.supply, self.geo) for d in self.drugs]
        self.case.volume = sum(self.geo.volume)

    def read(self, t: Fraction) -> None:
        """A session or review: escape tissue joins the core, then geometry and flows are read anew."""
        if self.last_reading is not None and self.tumour.v0[1] > 0:
            dt = float(t - self.last_reading)
            share = 1 - (1 - self.tumour.recovery) ** (dt / self.tumour.recovery_time)
            core, escape = self.viable()
            moved, r = share * escape, self.response_at
            self.y[r] = (core * self.y[r] + moved * self.y[r + 1]) / (core + moved)
            self.y[r + 2] = np.log((core + moved) / self.tumour.v0[0])
            # all of it moves when recovery is 1: what is left is no tissue, not an infinite logarithm
            self.y[r + 3] += np.log1p(-share) if share < 1 else -700.0
        self.last_reading = t
        self._read_geometry()

    # ---- doses ------------------------------------------------------------------------------------------

    def give(self, dose: line.Dose) -> None:
        """Start one dose: what enters at once, at a constant rate, and what is laid down as a depot."""
        agents = self.schedule.agents if self.with_retention else []
        for name, mg in dose.drugs.items():
            i, amount = self.names.index(name), mg * self.with_drug
            carrier = dose.carriers[name]
            prompt = 1.0 if carrier is None else carrier["prompt_fraction"]
            dissolved = [0.0] * 5  # core, escape, served liver, other liver, central
            shunted = 0.0
            if dose.route == "hepatic_artery":
                bypass, sh = self.tumour.bypass, self.supply.shunt
                core, escape, served = line.split(dose, 1.0, self.tumour, self.geo, agents)
                inside = [(1 - bypass) * core, (1 - bypass) * escape, (1 - bypass) * (1 - sh) * served]
                shunted = amount * prompt * (bypass + sh * served * (1 - bypass))
                dissolved = [*(amount * prompt * s for s in inside), 0.0, shunted]
            else:
                dissolved[4] = amount * prompt
            self.delivered[i] += sum(dissolved[:2])
            self._enter(i, dose, dissolved, shunted)
            if carrier is not None and prompt < 1:
                self._lay(i, dose, carrier, amount * (1 - prompt), agents)

    def _enter(self, i: int, dose: line.Dose, amounts: list[float], shunted: float) -> None:
        if dose.end == dose.start:
            for region in range(4):
                self.y[i * SIZE + 3 + 2 * region] += amounts[region]
            self.y[i * SIZE] += amounts[4]
            return
        rates = [a / float(dose.end - dose.start) for a in amounts]
        self.infusions.append(
            SimpleNamespace(drug=i, end=dose.end, rates=rates, shunted=shunted / float(dose.end - dose.start))
        )

    def _lay(self, i: int, dose: line.Dose, carrier: inputs.Record, amount: float, agents: list[line.Agent]) -> None:
        if dose.route == "hepatic_artery":
            lung = carrier["lung_share"]
            shares = line.split(dose, carrier["target_preference"], self.tumour, self.geo, agents)
            amounts = [amount * (1 - lung) * s for s in shares] + [amount * lung, 0.0]
        else:
            amounts = [0.0, 0.0, 0.0, 0.0, amount]
        self.delivered[i] += sum(amounts[:2])
        self.depots.append(Depot(i, dose, law_of(carrier), amounts))
        if dose.end == dose.start:
            at = i * SIZE + eq.AT["depot_core"]
            self.y[at : at + 5] += amounts

    # ---- one stretch between events ---------------------------------------------------------------------

    def begin(self, t: Fraction) -> None:
        """Fix everything that is in force on the stretch that starts at `t`."""
        self.now = t
        self.infusions = [f for f in self.infusions if f.end > t]
        for depot in self.depots:
            depot.begin(t)
        self.factors = [_factor(agent, t) for agent in self.schedule.agents if agent.start <= t]

    def patent(self, x: float) -> tuple[float, float]:
        """(p_T, p_S) at the local time x."""
        p_t = p_s = 1.0
        for factor in self.factors:
            f_t, f_s = factor(x)
            p_t *= f_t
            p_s *= f_s
        return p_t, p_s

    def supplies(self, x: float) -> list[float]:
        """S_z of both zones and the oxygen supply of the served liver; the real patency, whatever transport is told."""
        (p_t, p_s), q, w = self.patent(x), self.tumour.q_min, self.oxygen_weight()
        return [*(q + (1 - q) * (a * p_t + 1 - a) for a in self.tumour.weight), w * p_s + 1 - w]

    def oxygen_weight(self) -> float:
        """Share of the artery in the oxygen of the served liver (section 5)."""
        artery, portal = 1.8 * self.geo.artery_served, 0.73 * self.geo.portal_served
        if self.supply.main_thrombosis:
            return 1.0
        return artery / (artery + portal) if artery + portal > 0 else 0.0

    def blood_flows(self, x: float) -> list[float]:
        """Perfusing blood flows of core, escape, served and other liver [L/h], shunt flow taken off."""
        geo, open_share, p_s = self.geo, 1 - self.supply.shunt, 1.0
        zones = list(geo.zone_flow)
        if self.with_retention:
            zones = [f * s for f, s in zip(zones, self.supplies(x)[:2], strict=True)]
            p_s = self.patent(x)[1]
        return [
            *zones,
            open_share * (geo.artery_served * p_s + geo.portal_served),
            open_share * (geo.artery_other + geo.portal_other),
        ]

    def ischaemia(self, x: float) -> list[float]:
        """x of both zones and of the served liver."""
        return [max(0.0, 1 - s / crit) ** 2 for s, crit in zip(self.supplies(x), self.critical, strict=True)]

    def drug_inputs(self, x: float) -> list[SimpleNamespace]:
        """Per drug: rates into the regions' extracellular space, into the centre, and change of the depots [mg/h]."""
        out = [SimpleNamespace(to_region=[0.0] * 4, to_central=0.0, depot=[0.0] * 5) for _ in self.drugs]
        for infusion in self.infusions:
            target = out[infusion.drug]
            for region in range(4):
                target.to_region[region] += infusion.rates[region]
            target.to_central += infusion.rates[4]
        for depot in self.depots:
            target, rate = out[depot.drug], depot.rate(x)
            laying = 1 / depot.length if depot.laying else 0.0
            for place, amount in enumerate(depot.amounts):
                target.depot[place] += amount * (laying - rate)
            for region in range(3):
                target.to_region[region] += depot.amounts[region] * rate
            target.to_central += (depot.amounts[3] + depot.amounts[4]) * rate
        return out

    def rates(self, x: float, y: list[float]) -> np.ndarray:
        """dy/dt of everything."""
        flows = self.blood_flows(x)
        out: list[float] = []
        for i, (drug, given) in enumerate(zip(self.drugs, self.drug_inputs(x), strict=True)):
            q = [drug.rb * f for f in flows]
            part = y[i * SIZE : (i + 1) * SIZE]
            out += eq.transport(part, drug, self.case.regions[i], q, given, self.case.volume)
        plasma, medium = eq.coupling(y, self.case)
        out += eq.response(y[self.response_at :], plasma, medium, self.ischaemia(x), self.case)
        return np.array(out)

    def advance(self, t: Fraction) -> None:
        """Integrate from the stretch's start to `t`, on the clock x = s^p, restarting where a supply crosses s_crit."""
        length = float(t - self.now)
        p = max([1.0, *(d.clock_power for d in self.depots)])
        end = length ** (1 / p)

        def slope(s: float, y: np.ndarray) -> np.ndarray:
            if p > 1:  # a law singular at its start: its limit is taken there (the solver asks for s = 0 once)
                s = max(s, 1e-14 * end)
            return self.rates(s**p, y.tolist()) * (p * s ** (p - 1))

        def jac(s: float, y: np.ndarray) -> np.ndarray:
            x = s**p
            flows = [[d.rb * f for f in self.blood_flows(x)] for d in self.drugs]
            return eq.jacobian(y.tolist(), flows, self.ischaemia(x), self.case) * (p * s ** (p - 1))

        stops = [0.0, *(x ** (1 / p) for x in self._crossings(length)), end]
        for a, b in pairwise(stops):
            found = solve_ivp(slope, (a, b), self.y, method="Radau", jac=jac, t_eval=[b], rtol=RTOL, atol=self.atol)
            if not found.success:
                raise RuntimeError(f"solver failed at {float(self.now)} h + {a**p}: {found.message}")
            self.y = found.y[:, -1]

    def _crossings(self, length: float) -> list[float]:
        """Local times at which a supply passes its critical value (a kink in the second derivative of h)."""
        found = []
        for z in range(3):

            def distance(x: float, z: int = z) -> float:
                return self.supplies(x)[z] - self.critical[z]

            if distance(0.0) * distance(length) < 0:
                found.append(brentq(distance, 0.0, length, xtol=1e-12 * length))
        return sorted(x for x in set(found) if 0 < x < length)


def _factor(agent: line.Agent, t: Fraction) -> Callable[[float], tuple[float, float]]:
    """Open shares (tumour, served liver) that one agent leaves on the stretch that starts at `t`."""
    o_t, o_s = agent.occlusion
    building = t < agent.end
    since = float(t - (agent.start if building else agent.end))
    length = float(agent.end - agent.start)

    def factor(x: float) -> tuple[float, float]:
        strength = (since + x) / length if building else 2 ** (-(since + x) / agent.half_life)
        return 1 - o_t * strength, 1 - o_s * strength

    return factor
