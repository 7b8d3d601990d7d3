"""The `diffusers` engine: open Wan weights on this machine's own devices.

`port.py` is what the server sees; torch is imported in child processes only (`worker.py` and what
it imports). Without torch run `cards.py`, `card_rows.py`, `options.py`, `resolve.py`, `folder.py`,
`faults.py`, `flops.py` and `pool.py`, and are tested so.
"""
