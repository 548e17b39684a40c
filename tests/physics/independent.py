"""MODEL sections 1 to 4 written a second time, for one lane and one drug (or none), solved by SciPy's Radau.

It shares no code with the package's laws, model or solver: it reads records, in their own units, and nothing
else. Drug that enters stands outside the state (amount = state + entered(t)), so that no release rate, singular
or not, is ever evaluated; the integration starts anew at every discontinuity.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from independent_release import released_fraction, released_integral
from scipy.integrate import solve_ivp

Array = np.ndarray
# rows of the state: cells and extracellular spaces of core, escape, served, other; peripherals; centre
CELLS, SPACES, P1, P2, C = slice(0, 4), slice(4, 8), 8, 9, 10
AUC, HYPOXIA, LOG_VIABLE, DEAD, SIZE = slice(11, 14), slice(14, 16), slice(16, 18), slice(18, 20), 20


@dataclass
class Agent:
    """What blocks the artery: o_T, o_S, recanalisation rate [1/h], begin and end of the deposit [h]."""

    tumour: float
    served: float
    rate: float
    begin: float
    end: float

    def progress(self, t: float) -> float:
        """Progress of the occlusion at t."""
        if t < self.begin:
            return 0.0
        if t < self.end:
            return (t - self.begin) / (self.end - self.begin)
        return float(np.exp(-self.rate * (t - self.end)))


@dataclass
class Dose:
    """One injection, with what it holds back."""

    amount: float
    arterial: bool
    begin: float
    end: float
    carrier: Any
    before: int  # how many agents were injected before it
    into: Array = field(default_factory=lambda: np.zeros(4))  # core, escape, served, centre, dissolved
    depot: Array = field(default_factory=lambda: np.zeros(4))

    def entered(self, t: float) -> Array:
        """Drug that has entered the four input spaces by t [mg]."""
        if t < self.begin:
            return np.zeros(4)
        long, age = self.end - self.begin, t - self.begin
        total = self.into * (min(age / long, 1.0) if long > 0.0 else 1.0)
        if not self.depot.any():
            return total
        if long > 0.0:
            integral = self.integral
            return total + self.depot * (integral(age) - integral(age - long)) / long
        return total + self.depot * self.fraction(age)

    def __post_init__(self) -> None:
        if self.carrier is not None:
            self.integral = released_integral(self.carrier.release)
            self.fraction = released_fraction(self.carrier.release)


@dataclass
class Result:
    """Volumes [L] at asked times, AUCs [mg h/L] of plasma, tumour tissue and extracellular tumour, amounts [mg]."""

    viable: Array
    dead: Array
    auc: Array
    amounts: Array
    hypoxia: Array


class Independent:
    """One scenario, built from its records."""

    def __init__(self, scenario: Any) -> None:
        self.scenario, self.p = scenario, scenario.patient
        self.doses: list[Dose] = []
        self.agents: list[Agent] = []
        self.sessions = [float(s.at) for s in scenario.regimen.sessions]
        for session in scenario.regimen.sessions:
            self._plan(session)
        self._patient()
        self._drug(scenario.regimen.drugs[0] if scenario.regimen.drugs else None)

    def _plan(self, session: Any) -> None:
        cursor = float(session.at)
        for dose in session.doses:
            arterial = dose.route == "hepatic_artery"
            begin = cursor if arterial else float(session.at)
            begin = session.at + dose.start if dose.start is not None else begin
            end = begin + dose.duration
            self.doses.append(Dose(dose.amounts[0][1], arterial, begin, end, dose.carrier, len(self.agents)))
            if arterial:
                cursor = max(cursor, end)
                if dose.carrier is not None:
                    self.agents.append(self._agent(dose.carrier, begin, end))
        for embolic in session.embolics:
            if embolic.builds == "during":
                self.agents.append(self._agent(embolic, cursor, cursor + embolic.duration))
                cursor += embolic.duration
        self.agents += [self._agent(e, cursor, cursor) for e in session.embolics if e.builds == "end"]

    @staticmethod
    def _agent(record: Any, begin: float, end: float) -> Agent:
        o = float(record.occlusion)
        return Agent(o, o * record.selectivity, np.log(2.0) / (24.0 * record.half_life), begin, end)

    def _patient(self) -> None:
        liver, tumour = self.p.liver, self.p.tumour
        flow = liver.flow * 0.06
        portal = (1.0 - liver.arterial_share) * flow * liver.portal_open
        lost = (1.0 - liver.arterial_share) * flow - portal
        self.arterial, self.portal = liver.arterial_share * flow + liver.buffer_gain * lost, portal
        parenchyma = liver.parenchyma_volume / 1000.0
        self.served = parenchyma * self.scenario.catheter.territory_share
        self.other = parenchyma - self.served
        self.volume0 = tumour.count * np.pi / 6.0 * (tumour.diameter / 100.0) ** 3
        logit = tumour.escape_intercept + tumour.escape_slope * np.log(tumour.diameter / 30.0)
        phi = 1.0 / (1.0 + np.exp(-logit - tumour.escape_deviation))
        c = self.scenario.catheter.coverage
        share = 1.0 - c * (1.0 - phi)
        self.weight = np.array([tumour.arterial_weight_core, tumour.arterial_weight_escape * c * phi / share])
        self.mean_weight = (1.0 - phi) * self.weight[0] + phi * tumour.arterial_weight_escape
        self.share = np.array([1.0 - share, share])
        self.v0 = self.share * self.volume0
        self.f = np.array([tumour.extracellular_fraction] * 2 + [liver.extracellular_fraction] * 2)

    def _drug(self, drug: Any) -> None:
        self.drug = drug
        if drug is None:
            self.rb, self.linear_other, self.km_other = 1.0, 0.0, np.inf
            self.v, self.q = np.ones(3), np.zeros(2)
            self.kp, self.ps, self.clint, self.km = np.ones(4), np.zeros(4), 0.0, np.inf
            return
        size, reference = self.p.bsa / drug.reference.bsa, drug.reference
        self.rb = drug.blood_plasma_ratio
        through = reference.liver_flow * 0.06 * self.rb
        self.linear_other = (drug.cl_total - drug.extraction * through) * size
        self.km_other, self.km = drug.km_other, drug.liver.km
        barrier = drug.liver.ps * reference.parenchyma_volume / 1000.0
        behind = drug.extraction * through / (1.0 - drug.extraction)
        per_volume = behind * barrier / (barrier - behind) / (reference.parenchyma_volume / 1000.0)
        self.clint = per_volume * self.p.liver.reserve
        self.v = size * np.array([drug.v1, drug.v2, drug.v3])
        self.q = size * np.array([drug.q2, drug.q3])
        self.kp = np.array([drug.tumour.kp] * 2 + [drug.liver.kp] * 2)
        self.ps = np.array([drug.tumour.ps] * 2 + [drug.liver.ps] * 2)

    def read(self, viable: Array, dead: Array) -> None:
        """Geometry and flows of the current tumour."""
        perfused = np.maximum(viable, 0.01 * self.v0) * self.p.tumour.perfusion_ratio / self.mean_weight
        parenchyma = self.served + self.other
        a_l = self.arterial / (parenchyma + (self.weight * perfused).sum())
        self.zone_flow, self.qa = a_l * perfused, a_l * self.served
        self.qp = self.portal * self.served / parenchyma
        self.q_other = (a_l + self.portal / parenchyma) * self.other
        self.region = np.array([*(viable + dead), self.served, self.other])
        self.base = self.region[:2].sum()

    def patency(self, t: float, dose: Dose | None = None, within: float = 1.0) -> tuple[float, float]:
        """Open fractions of tumour and served arteries; `within` a dose they are those that it meets itself."""
        parts = [(a, a.progress(t)) for a in self.agents]
        if dose is not None:
            parts = parts[: dose.before]
            if dose.carrier is not None:
                parts.append((self.agents[dose.before], within))
        return (
            float(np.prod([1.0 - a.tumour * x for a, x in parts])),
            float(np.prod([1.0 - a.served * x for a, x in parts])),
        )

    def supply(self, p_tumour: float) -> Array:
        """Supply of the zones."""
        q_min = self.p.tumour.collateral_supply
        return q_min + (1.0 - q_min) * (self.weight * p_tumour + 1.0 - self.weight)

    def give(self, dose: Dose) -> None:
        """Divide a dose by the arterial flow, mean over its injection by Simpson."""
        carrier = dose.carrier
        prompt = 1.0 if carrier is None else carrier.prompt_fraction
        theta, lung = (1.0, 0.0) if carrier is None else (carrier.target_preference, carrier.lung_share)
        if not dose.arterial:
            dose.into[3], dose.depot[3] = dose.amount * prompt, dose.amount * (1.0 - prompt)
            return
        plain, held = np.zeros(3), np.zeros(3)
        for x, w in ((0.0, 1 / 6), (0.5, 4 / 6), (1.0, 1 / 6)):
            t = dose.begin + x * (dose.end - dose.begin)
            p_t, p_s = self.patency(t, dose, x)
            for total, preference in ((plain, 1.0), (held, theta)):
                part = np.append(preference * self.weight * self.zone_flow * p_t, self.qa * p_s)
                total += w * part / part.sum()
        sh, by = self.p.liver.shunt, self.p.tumour.shunt
        free, kept = dose.amount * prompt, dose.amount * (1.0 - prompt)
        dose.into[:2] = (1.0 - by) * plain[:2] * free
        dose.into[2] = (1.0 - by) * (1.0 - sh) * plain[2] * free
        dose.into[3] = free - dose.into[:3].sum()
        dose.depot[:3] = (1.0 - lung) * held * kept
        dose.depot[3] = lung * kept

    def rate(self, t: float, y: Array) -> Array:
        """MODEL's equations."""
        tumour, out = self.p.tumour, np.zeros(SIZE)
        amount = y[:11].copy()
        entered = sum((d.entered(t) for d in self.active), np.zeros(4))
        amount[4:7] += entered[:3]
        amount[C] += entered[3]
        f, region = self.f, self.region
        with np.errstate(invalid="ignore", divide="ignore"):
            space = np.where(region > 0.0, amount[SPACES] / (f * region), 0.0)
            medium = np.where(region > 0.0, amount[CELLS] / ((1.0 - f) * self.kp * region), 0.0)
        plasma = amount[C] / self.v[0]
        p_t, p_s = self.patency(t)
        supply = self.supply(p_t)
        sh = self.p.liver.shunt
        through = (1.0 - sh) * self.rb * np.array([self.qa * p_s + self.qp, self.q_other])
        flow = np.append(self.rb * self.zone_flow * supply, through) * (region > 0.0)
        uptake = self.ps * region * (space - medium)
        loss = np.zeros(2) if self.drug is None else self.drug.tumour.loss_cellular * amount[:2]
        liver = self.clint * region[2:] * medium[2:] / (1.0 + medium[2:] / self.km)
        out[CELLS] = uptake - np.concatenate([loss, liver])
        out[SPACES] = flow * (plasma - space) - uptake
        if self.drug is not None:
            out[4:6] -= self.drug.tumour.loss_extracellular * amount[4:6]
        pools = np.array([amount[i] / v if v > 0.0 else plasma for i, v in ((P1, self.v[1]), (P2, self.v[2]))])
        out[P1 : P2 + 1] = self.q * (plasma - pools)
        other = self.linear_other * plasma / (1.0 + plasma / self.km_other)
        out[C] = (flow * (space - plasma)).sum() - out[P1 : P2 + 1].sum() - other
        held = amount[[0, 1, 4, 5]].sum()
        if self.base > 0.0:
            out[AUC] = plasma, held / self.base, amount[4:6].sum() / (f[0] * self.base)
        x = np.maximum(0.0, 1.0 - supply / tumour.critical_supply) ** 2
        out[HYPOXIA] = (x - y[HYPOXIA]) / tumour.hypoxia_time
        kill = tumour.ischaemic_kill_rate / 24.0 * y[HYPOXIA]
        if self.drug is not None:
            k = self.drug.kill
            dose = (self.drug.fraction_unbound * np.maximum(medium[:2], 0.0) / k.ec50) ** k.hill
            kill = kill + k.potency * k.kmax * dose / (1.0 + dose) * (1.0 + (k.hypoxia_factor - 1.0) * y[HYPOXIA])
        viable = np.exp(y[LOG_VIABLE])
        out[LOG_VIABLE] = self.growth(viable) - kill
        out[DEAD] = kill * viable - np.log(2.0) / (24.0 * tumour.resorption_half_life) * y[DEAD]
        return out

    def jacobian(self, t: float, y: Array, scale: float) -> Array:
        """Differences over steps that suit amounts [mg] and the rest; Newton needs no more."""
        step = 1e-6 * np.where(np.arange(SIZE) < AUC.start, scale, 1.0)
        return np.stack([(self.rate(t, y + e) - self.rate(t, y - e)) for e in np.diag(step)], axis=1) / (2.0 * step)

    def growth(self, viable: Array) -> Array:
        """Growth rate of the zones [1/h]."""
        doubling = 24.0 * self.p.tumour.doubling_time
        if self.p.tumour.growth == "exponential":
            return np.full(2, np.log(2.0) / doubling)
        capacity = self.p.tumour.growth_capacity / 1000.0
        g = np.log(2.0) / (doubling * np.log(capacity / self.volume0))
        return g * np.log(capacity * self.share / viable)

    def run(self, until: float, times: Any = (), rtol: float = 1e-10) -> Result:
        """Integrate from 0 to `until` [h]."""
        reviews = []
        if self.scenario.review_days and self.sessions:
            every = 24.0 * self.scenario.review_days
            reviews = list(np.arange(self.sessions[0] + every, until - 1e-9, every))
        readings = sorted({*self.sessions, *reviews})
        events = {0.0, until, *readings, *(e for d in self.doses for e in (d.begin, d.end))}
        events |= {e for a in self.agents for e in (a.begin, a.end)} | self._kinks()
        events = sorted(e for e in events if e <= until)
        scale = max([d.amount for d in self.doses], default=1.0)
        atol = np.r_[np.full(14, 1e-13 * scale), np.full(4, 1e-12), np.full(2, 1e-12 * self.volume0)]
        y, last = np.zeros(SIZE), np.nan
        y[LOG_VIABLE] = np.log(self.v0)
        self.read(self.v0, np.zeros(2))
        times = np.asarray(times, dtype=float)
        kept = np.full((times.size, SIZE), np.nan)
        for start, stop in zip(events, [*events[1:], None], strict=True):
            if start in readings:
                y = self.reading(y, 0.0 if np.isnan(last) else start - last)
                last = start
            for dose in self.doses:
                if dose.begin == start:
                    self.give(dose)
            if stop is None:
                break
            self.active = [d for d in self.doses if d.begin <= start]
            inside = (times >= start) & (times <= stop)
            found = solve_ivp(
                self.rate,
                (start, stop),
                y,
                method="Radau",
                rtol=rtol,
                atol=atol,
                t_eval=np.unique([*times[inside], stop]),
                jac=lambda t, state, scale=scale: self.jacobian(t, state, scale),
            )
            assert found.success, found.message
            kept[inside] = found.y.T[np.searchsorted(found.t, times[inside])]
            y = found.y[:, -1]
        amounts = y[:11].copy()
        entered = sum((d.entered(until) for d in self.active), np.zeros(4))
        amounts[4:7] += entered[:3]
        amounts[C] += entered[3]
        return Result(np.exp(kept[:, LOG_VIABLE]), kept[:, DEAD], y[AUC], amounts, kept[:, HYPOXIA])

    def _kinks(self) -> set[float]:
        found: set[float] = set()
        for dose in self.doses:
            release = dose.carrier.release if dose.carrier is not None else None
            if release is not None and release.law in ("higuchi", "korsmeyer_peppas"):
                n = 0.5 if release.law == "higuchi" else release.exponent
                found |= {e + release.rate_constant ** (-1.0 / n) for e in (dose.begin, dose.end)}
            if release is not None and release.law == "tabulated":
                found |= {e + t for e in (dose.begin, dose.end) for t in release.times}
        return found

    def reading(self, y: Array, elapsed: float) -> Array:
        """Read the tumour again: escape tissue becomes core, hypoxia mixes."""
        tumour, y = self.p.tumour, y.copy()
        viable, h = np.exp(y[LOG_VIABLE]), y[HYPOXIA].copy()
        moved = viable[1] * (1.0 - (1.0 - tumour.escape_recovery) ** (elapsed / (24.0 * tumour.escape_recovery_time)))
        y[HYPOXIA.start] = (h[0] * viable[0] + h[1] * moved) / (viable[0] + moved)
        viable = viable + np.array([moved, -moved])
        y[LOG_VIABLE] = np.log(viable)
        self.read(viable, y[DEAD])
        return y
