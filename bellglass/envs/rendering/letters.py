"""Letters of up to 5 x 8 dots for captions, capital and small, each as wide as it needs to be.

The letters of `glyphs` have 3 x 5 dots and one case: they are for cells, where these would not fit.

A letter is its columns from left to right, two hexadecimal digits each; the lowest bit is the highest dot, and the
eighth row is for what hangs below the line.
"""

from __future__ import annotations

import numpy as np

from ..mdp import BoolArray
from .cells import RGBArray
from .glyphs import Colour

#: Rows of dots: seven above the line, one below.
ROWS = 8

BLANK = "000000"

LETTERS = {
    letter: columns
    for line in """
    A 7c1211127c  B 7f49494936  C 3e41414122  D 7f4141413e  E 7f49494941  F 7f09090901  G 3e4149497a  H 7f0808087f
    I 417f41      J 2040413f01  K 7f08142241  L 7f40404040  M 7f020c027f  N 7f0408107f  O 3e4141413e  P 7f09090906
    Q 3e4151215e  R 7f09192946  S 4649494931  T 01017f0101  U 3f4040403f  V 1f2040201f  W 3f4038403f  X 6314081463
    Y 0708700807  Z 6151494543
    a 2054545478  b 7f48444438  c 3844444428  d 384444487f  e 3854545418  f 087e0902    g 18a4a4a47c  h 7f08040478
    i 447d40      j 40807d      k 7f102844    l 417f40      m 7c04180478  n 7c08040478  o 3844444438  p fc24242418
    q 18242424fc  r 7c08040408  s 4854545424  t 043f4424    u 3c4040207c  v 1c2040201c  w 3c4030403c  x 4428102844
    y 1ca0a0a07c  z 4464544c44
    0 3e5149453e  1 427f40      2 4261514946  3 2141454b31  4 1814127f10  5 2745454539  6 3c4a494930  7 0171090503
    8 3649494936  9 064949291e  - 080808      + 08083e0808  . 6060        , 8060        : 3636        ; 8076
    / 2010080402  = 1414141414  _ 4040404040  ( 1c2241      ) 41221c      ' 0003        ! 5f          ? 0201510906
    [ 7f41        ] 41417f      < 08142241    > 41221408    % 2313086462  * 14083e0814
    """.strip().splitlines()
    for letter, columns in zip(line.split()[::2], line.split()[1::2], strict=True)
}


def mask(text: str) -> BoolArray:
    """[8, width] the dots of a line of text; a letter that is not in the list is a blank."""
    bits = np.frombuffer(_columns(text), dtype=np.uint8)[None, :] >> np.arange(ROWS, dtype=np.uint8)[:, None]
    return np.asarray(bits & 1, dtype=np.bool_)


def _columns(text: str) -> bytes:
    """One byte a column, a column of nothing between letters."""
    return bytes.fromhex("00".join(LETTERS.get(letter, BLANK) for letter in text))


def width(text: str, dot: int) -> int:
    """Pixels that a line of text takes."""
    return len(_columns(text)) * dot


def caption(image: RGBArray, text: str, colour: Colour, centre: tuple[float, float], *, dot: int = 2) -> None:
    """Writes a line of text around `centre` (down, right), in place; what does not fit is cut off."""
    dots = mask(text).repeat(dot, axis=0).repeat(dot, axis=1)
    top, left = round(centre[0] - 3.5 * dot), round(centre[1] - dots.shape[1] / 2)
    there = image[max(top, 0) : max(top + dots.shape[0], 0), max(left, 0) : max(left + dots.shape[1], 0)]
    there[dots[max(-top, 0) :, max(-left, 0) :][: there.shape[0], : there.shape[1]]] = colour
