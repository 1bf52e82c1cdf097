"""How well a client shows a picture: its luma (BT.601) against the recording's. Pictures as in recording.py."""

import numpy

EQUAL_DB = 99.0
BLOCK = 8  # px, of SSIM's windows, which do not overlap


def luma(picture):
    blue, green, red = (picture[..., i].astype(numpy.float32) for i in range(3))
    return 0.299 * red + 0.587 * green + 0.114 * blue


def psnr(left, right):
    """dB of two lumas; EQUAL_DB when they are equal."""
    error = float(((left - right) ** 2).mean())
    return EQUAL_DB if error == 0 else min(EQUAL_DB, 10 * float(numpy.log10(255 ** 2 / error)))


def ssim(left, right):
    """Structural similarity of two lumas: 1 is equal. Constants of Wang et al., 2004."""
    def blocks(y):
        height, width = (size // BLOCK * BLOCK for size in y.shape)
        cut = y[:height, :width].reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK)
        return cut.transpose(0, 2, 1, 3).reshape(-1, BLOCK * BLOCK)

    a, b = blocks(left), blocks(right)
    mean_a, mean_b = a.mean(axis=1), b.mean(axis=1)
    variance = a.var(axis=1) + b.var(axis=1)
    covariance = (a * b).mean(axis=1) - mean_a * mean_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return float(((2 * mean_a * mean_b + c1) * (2 * covariance + c2) /
                  ((mean_a ** 2 + mean_b ** 2 + c1) * (variance + c2))).mean())
