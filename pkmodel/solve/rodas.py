"""Rodas5P: coefficients of a stiffly accurate Rosenbrock method, and its weights as a quadrature.

Eight stages, order 5 with an embedded order 4, dense output of order 4, in transformed form: with
W = I/(h gamma) - J the stages solve

    W k_i = f(t + c_i h, y + sum_j a_ij k_j) + sum_j (C_ij/h) k_j + h d_i df/dt,

for i = 7, 8 the argument is that of the stage before plus its k; y1 = argument of stage 8 + k_8, and k_8 is the
error estimate. Dense output: y(theta) = q y0 + theta (y1 + q (D0 + theta (D1 + theta D2))), D = H k, q = 1 - theta.

References
----------
Steinebach G. Construction of Rosenbrock-Wanner method Rodas5P and numerical benchmarks within the Julia
Differential Equations package. BIT Numer Math 2023;63:27.
"""

from __future__ import annotations

import numpy as np

GAMMA = 0.21193756319429014
CNODES = np.array(
    [
        0.0,
        0.6358126895828704,
        0.4095798393397535,
        0.9769306725060716,
        0.4288403609558664,
        1.0,
        1.0,
        1.0,
    ]
)
D = np.array(
    [
        0.21193756319429014,
        -0.42387512638858027,
        -0.3384627126235924,
        1.8046452872882734,
        2.325825639765069,
        0.0,
        0.0,
        0.0,
    ]
)

A = np.zeros((8, 8))
A[1, :1] = [
    3.0,
]
A[2, :2] = [
    2.849394379747939,
    0.45842242204463923,
]
A[3, :3] = [
    -6.954028509809101,
    2.489845061869568,
    -10.358996098473584,
]
A[4, :4] = [
    2.8029986275628964,
    0.5072464736228206,
    -0.3988312541770524,
    -0.04721187230404641,
]
A[5, :5] = [
    -7.502846399306121,
    2.561846144803919,
    -11.627539656261098,
    -0.18268767659942256,
    0.030198172008377946,
]

C = np.zeros((8, 8))
C[1, :1] = [
    -14.155112264123755,
]
C[2, :2] = [
    -17.97296035885952,
    -2.859693295451294,
]
C[3, :3] = [
    147.12150275711716,
    -1.41221402718213,
    71.68940251302358,
]
C[4, :4] = [
    165.43517024871676,
    -0.4592823456491126,
    42.90938336958603,
    -5.961986721573306,
]
C[5, :5] = [
    24.854864614690072,
    -3.0009227002832186,
    47.4931110020768,
    5.5814197821558125,
    -0.6610691825249471,
]
C[6, :6] = [
    30.91273214028599,
    -3.1208243349937974,
    77.79954646070892,
    34.28646028294783,
    -19.097331116725623,
    -28.087943162872662,
]
C[7, :7] = [
    37.80277123390563,
    -3.2571969029072276,
    112.26918849496327,
    66.9347231244047,
    -40.06618937091002,
    -54.66780262877968,
    -9.48861652309627,
]

H = np.array(
    [
        [
            25.948786856663858,
            -2.5579724845846235,
            10.433815404888879,
            -2.3679251022685204,
            0.524948541321073,
            1.1241088310450404,
            0.4272876194431874,
            -0.17202221070155493,
        ],
        [
            -9.91568850695171,
            -0.9689944594115154,
            3.0438037242978453,
            -24.495224566215796,
            20.176138334709044,
            15.98066361424651,
            -6.789040303419874,
            -6.710236069923372,
        ],
        [
            11.419903575922262,
            2.8879646145136992,
            72.92137995996029,
            80.12511834622643,
            -52.072871366152654,
            -59.78993625266729,
            -0.15582684282751913,
            4.883087185713722,
        ],
    ]
)

STAGES = 8
# The last three stages share c = 1: forcing is evaluated once for them.
DISTINCT_NODES = CNODES[:6]


def quadrature_weights() -> np.ndarray:
    """Weights with which the method integrates a pure rate: y1 - y0 = h (weights . rates).

    Returns
    -------
    weights : (6,) for the distinct stage nodes; the weight of the time derivative vanishes (a test shows it).
    """
    # With J = 0 every stage is k_i = h gamma (r_i + sum_j C_ij k_j / h); run that recursion on unit rates.
    k = np.zeros((STAGES, STAGES))
    for i in range(STAGES):
        k[i] = GAMMA * (np.eye(STAGES)[i] + C[i, :i] @ k[:i])
    total = A[5, :5] @ k[:5] + k[5] + k[6] + k[7]
    return np.append(total[:5], total[5:].sum())


WEIGHTS = quadrature_weights()
