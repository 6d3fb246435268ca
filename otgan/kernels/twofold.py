"""Double-double arithmetic: a number is the sum of two floats, the second at most half an ulp of the first.

Dekker (1971), A floating-point technique for extending the available precision; Hida, Li & Bailey (2001), Algorithms
for quad-double precision floating point arithmetic. For the few decisions that float64 leaves open.
"""

from __future__ import annotations

import math

import numpy as np

from otgan.kernels.jit import kernel

__all__ = ["divide", "multiply", "power", "precision", "two_product", "two_sum"]

SPLITTER = 2.0**27 + 1  # times a float64, parts its 53 bits into halves (Veltkamp)
LN2, LN2_REST = 0.6931471805599453, 2.3190468138462996e-17  # log 2 is their sum
HALVINGS = 9  # of the argument of the exponential
TERMS = (
    5  # of its series; the next four, below 2^-60 of the first, need float64 only, and the one after is below 2^-113
)
TINIEST = 2.0**-1070  # what underflow may take away


@kernel
def two_sum(a, b):
    """The rounded sum and its exact error (Knuth)."""
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


@kernel
def two_product(a, b):
    """The rounded product and its exact error (Dekker, Veltkamp)."""
    t = SPLITTER * a
    a_high = t - (t - a)
    a_low = a - a_high
    t = SPLITTER * b
    b_high = t - (t - b)
    b_low = b - b_high
    s = a * b
    return s, ((a_high * b_high - s) + a_high * b_low + a_low * b_high) + a_low * b_low


@kernel
def multiply(a, a_low, b, b_low):
    """The product of two such numbers."""
    s, error = two_product(a, b)
    return two_sum(s, error + (a * b_low + a_low * b))


@kernel
def divide(a, a_low, b, b_low):
    """The quotient of two such numbers."""
    quotient = a / b
    product, error = two_product(quotient, b)
    return two_sum(quotient, (((a - product) - error) + (a_low - quotient * b_low)) / b)


@kernel
def exponential(t, t_low):
    """``exp`` of such a number below 709: Taylor's series of a small part, squared nine times."""
    count = np.rint(t / LN2)
    whole, error = two_product(count, LN2)
    r, rest = two_sum(t, -whole)
    r, r_low = two_sum(r, rest + (t_low - error - count * LN2_REST))
    r, r_low = r / 2.0**HALVINGS, r_low / 2.0**HALVINGS
    s, s_low = r, r_low
    term, term_low = r, r_low
    for n in range(2, TERMS + 1):
        term, term_low = multiply(term, term_low, r, r_low)
        quotient = term / n
        product, error = two_product(quotient, float(n))
        term, term_low = two_sum(quotient, ((term - product) - error + term_low) / n)
        s, error = two_sum(s, term)
        s, s_low = two_sum(s, error + (s_low + term_low))
    s_low += term * r / 6.0 * (1.0 + r / 7.0 * (1.0 + r / 8.0 * (1.0 + r / 9.0)))
    for _ in range(HALVINGS):  # (1 + s)^2 - 1, without the one that would swallow digits
        square, square_low = multiply(s, s_low, s, s_low)
        s, error = two_sum(2.0 * s, square)
        s, s_low = two_sum(s, error + (2.0 * s_low + square_low))
    s, error = two_sum(1.0, s)
    s, s_low = two_sum(s, error + s_low)
    return math.ldexp(s, int(count)), math.ldexp(s_low, int(count))


@kernel
def power(x, x_low, p):
    """Such a number, not negative, to the power p >= 1: off by less than :func:`precision` of the result."""
    if x == 0.0:
        return 0.0, 0.0
    if p == 1.0:
        return x, x_low
    if p == 2.0:
        return multiply(x, x_low, x, x_low)
    if not x < np.inf:
        return np.inf, 0.0
    m, exponent = math.frexp(x)
    m_low = math.ldexp(x_low, -exponent)
    # One step of Newton's method makes the logarithm of a float twice as precise.
    log = math.log(m)
    inverse, inverse_low = exponential(-log, 0.0)
    near_one, low = multiply(m, m_low, inverse, inverse_low)
    q = (near_one - 1.0) + low
    whole, error = two_product(float(exponent), LN2)
    high, rest = two_sum(whole, log)
    high, low = two_sum(high, rest + (error + exponent * LN2_REST + (q - 0.5 * q * q)))
    t, error = two_product(p, high)
    if t < -745.0:
        return 0.0, 0.0
    if not t < 709.0:
        return np.inf, 0.0
    t, t_low = two_sum(t, error + p * low)
    return exponential(t, t_low)


@kernel
def precision(p):
    """The relative error of :func:`power`, and of a sum with the result, with much room: 2^-91 for small p."""
    return (p + 1024.0) * 2.0**-101
