import numpy as np
import pytest

from kinogate.engines.preview.fit import fit_cover, surround

from .pictures import textured


def test_a_picture_of_the_asked_size_is_kept_to_the_byte():
    picture = textured(320, 180)
    assert np.array_equal(fit_cover(picture, 320, 180), picture)


def test_the_result_is_the_callers_own():
    picture = textured(320, 180)
    fit_cover(picture, 320, 180)[:] = 0
    assert picture.min() >= 60


@pytest.mark.parametrize("size", [(1, 1), (7, 500), (500, 7), (320, 180), (1000, 999), (33, 77)])
def test_any_size_becomes_the_asked_one(size):
    fitted = fit_cover(textured(*size), 320, 180)
    assert fitted.shape == (180, 320, 3)
    assert fitted.dtype == np.uint8
    assert fitted.flags.c_contiguous


def test_a_circle_stays_round():
    import cv2

    picture = np.zeros((400, 900, 3), dtype=np.uint8)
    cv2.circle(picture, (450, 200), 120, (255, 255, 255), -1)
    inside = fit_cover(picture, 360, 360)[..., 0] > 127
    wide = np.flatnonzero(inside.any(axis=0))
    tall = np.flatnonzero(inside.any(axis=1))
    assert abs(len(wide) - len(tall)) <= 2


def test_the_middle_is_what_remains():
    picture = np.zeros((100, 400, 3), dtype=np.uint8)
    picture[:, 150:250] = 200
    assert fit_cover(picture, 100, 100).min() == 200


def test_surroundings_hold_the_frame_exactly_in_their_middle():
    picture = textured(500, 180)
    wide = surround(picture, 320, 180, 0.2)
    inside = wide.pixels[wide.margin_y : wide.margin_y + 180, wide.margin_x : wide.margin_x + 320]
    assert np.array_equal(inside, fit_cover(picture, 320, 180))


def test_what_the_crop_cut_off_is_put_back():
    picture = np.full((180, 400, 3), 90, dtype=np.uint8)
    picture[:, :40] = (200, 30, 30)
    wide = surround(picture, 320, 180, 0.125)
    assert tuple(wide.pixels[90, 10]) == (200, 30, 30)


def test_invented_ground_is_never_black():
    wide = surround(textured(320, 180), 320, 180, 0.3)
    assert wide.pixels.min() >= 55
