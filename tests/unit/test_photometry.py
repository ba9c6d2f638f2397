"""Formulas of the photometry, against values worked out from real packets with 30 decimal digits."""

from __future__ import annotations

from typing import Any

import astropy.units as u
import numpy as np
import pytest

from alertdb.photometry import (
    apparent_magnitude,
    difference_flux,
    flux_of_magnitude,
    forced_flux,
    is_source_beneath,
    magnitude_of_flux,
)

# objectId: magpsf, sigmapsf, isdiffpos, distnr, magnr, sigmagnr, chinr, sharpnr as the packets have them,
# then by hand: f = s 3631e6 10^(-0.4 magpsf), its error f sigmapsf / 1.0857, and
# m = -2.5 log10(10^(-0.4 magnr) + s 10^(-0.4 magpsf)), its error 1.0857 sqrt(sum of both flux errors squared) / flux
PACKETS: dict[str, tuple[Any, ...]] = {
    "ZTF18aajnnfc": (18.761795043945312, 0.06837604194879532, "f", 0.0437735952436924, 16.680999755859375,
                     0.019999999552965164, 1.1519999504089355, -0.04899999871850014,
                     -113.581665, 7.152994, 16.85378432, 0.02624934),
    "ZTF18aaxcyzb": (19.26738739013672, 0.18311181664466858, "t", 0.08804909139871597, 17.56100082397461,
                     0.014999999664723873, 0.3959999978542328, -0.03200000151991844,
                     71.297006, 12.024398, 17.35609934, 0.03385281),
    "ZTF19aayvyfa": (18.187217712402344, 0.062139105051755905, "t", 0.13394764065742493, 18.482999801635742,
                     0.03099999949336052, 1.9579999446868896, 0.17800000309944153,
                     192.814266, 11.035191, 17.57249244, 0.03773560),
    # The nearest source is 4 pixels away, part of the galaxy: what is apparent is the supernova alone.
    "ZTF21abiuvdk": (13.219537734985352, 0.020366273820400238, "t", 4.358155250549316, 16.204999923706055,
                     0.10700000077486038, 8.513999938964844, 0.5889999866485596,
                     18715.918912, 351.073795, 13.219537734985352, 0.020366273820400238),
}  # fmt: skip


@pytest.mark.parametrize("name", PACKETS)
def test_real_packets(name: str) -> None:
    magpsf, sigmapsf, sign, distnr, magnr, sigmagnr, chinr, sharpnr, *expected = PACKETS[name]
    flux, error = difference_flux([magpsf], [sigmapsf], [sign])
    beneath = is_source_beneath([distnr], [chinr], [sharpnr])
    apparent, apparent_error = apparent_magnitude(flux, error, [magnr], [sigmagnr], beneath)
    found = [float(value[0]) for value in (flux, error, apparent, apparent_error)]
    assert found == pytest.approx(expected, rel=2e-8, abs=1e-6)


def test_forced_photometry_of_a_real_packet() -> None:
    """ZTF17aadcvhq on 2023-10-10: 14.559 mag in the reference, and 4684 DN less at zero point 26.1704."""
    flux, error = forced_flux([-4684.18408203125], [23.131683349609375], [26.170400619506836])
    assert (flux[0], error[0]) == pytest.approx((-578.761928413672, 2.85807248998397), rel=1e-12)
    magnitude = apparent_magnitude(flux, error, [14.559000015258789], [0.013000000268220901], [True])
    assert [float(value[0]) for value in magnitude] == pytest.approx([14.68088405, 0.01455838], abs=1e-8)


def test_fluxes_are_those_of_the_ab_system() -> None:
    magnitudes = np.array([12.0, 18.5, 23.9])
    expected = (magnitudes * u.ABmag).to_value(u.uJy)
    assert flux_of_magnitude(magnitudes)[0] == pytest.approx(expected, rel=1e-4)  # astropy's zero is 3630.78 Jy
    assert magnitude_of_flux(flux_of_magnitude(magnitudes)[0])[0] == pytest.approx(magnitudes, abs=1e-12)


@pytest.mark.parametrize(("sign", "expected"), [("t", 1), ("1", 1), ("f", -1), ("0", -1)])
def test_all_encodings_of_the_sign(sign: str, expected: int) -> None:
    assert np.sign(difference_flux([18.0], [0.1], [sign])[0]) == [expected]


@pytest.mark.parametrize("sign", [None, np.nan, "", "x"])
def test_without_a_sign_there_is_no_flux(sign: Any) -> None:
    assert np.isnan(difference_flux([18.0], [0.1], [sign])[0][0])


@pytest.mark.parametrize(
    ("distnr", "chinr", "sharpnr", "expected"),
    [
        (0.0, 1.0, 9.0, True),
        (1.5, 1.5, 9.0, True),
        (1.51, 1.0, 0.0, False),
        (-1.0, 1.0, 0.0, False),
        (0.5, 0.5, 9.0, True),
        (0.5, 1.6, 0.5, True),
        (0.5, 1.6, -0.5, True),
        (0.5, 1.6, 0.6, False),
        (0.5, np.nan, 9.0, True),
        (0.5, 9.0, np.nan, True),
        (np.nan, 1.0, 0.0, False),
    ],
)
def test_what_lies_beneath(distnr: float, chinr: float, sharpnr: float, expected: bool) -> None:
    assert is_source_beneath([distnr], [chinr], [sharpnr]).tolist() == [expected]


def test_no_magnitude_of_nothing() -> None:
    """A negative difference with nothing beneath, or as large as what is beneath."""
    flux, error = difference_flux([18.0, 18.0, 17.0], [0.1, 0.1, 0.1], ["f", "f", "f"])
    magnitude, _ = apparent_magnitude(flux, error, [17.0, 18.0, np.nan], [0.1, 0.1, np.nan], [False, True, True])
    assert np.isnan(magnitude).all()
