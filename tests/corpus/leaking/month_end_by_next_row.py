"""The month's last bar, told by the next row's month: the newest bar always looks like one."""

import numpy as np


def weights(bars):
    month = bars.close.index.month.to_numpy()
    last = np.append(month[1:] != month[:-1], True)
    return bars.close * 0 + last[:, None].astype(float)
