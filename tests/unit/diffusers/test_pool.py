"""Warm weights within a budget, and the order in which waiting work is taken."""

from __future__ import annotations

import pytest

from kinogate.engines.diffusers.pool import Key, Pool, Waiting, choose, upcoming

A, B, C, D = (Key(model=name, preset="lossless") for name in "abcd")
SIZES = {A: 40, B: 30, C: 30, D: 200}


class FakeLoader:
    """Weights made of their name; writes down what it did."""

    def __init__(self, *, faulty: frozenset[Key] = frozenset()) -> None:
        self.log: list[str] = []
        self.faulty = faulty

    def load(self, key: Key) -> str:
        if key in self.faulty:
            raise OSError("the folder is gone")
        self.log.append(f"+{key.model}")
        return f"weights of {key.model}"

    def unload(self, key: Key, item: str) -> None:
        assert item == f"weights of {key.model}"
        self.log.append(f"-{key.model}")

    def bytes(self, key: Key) -> int:
        return SIZES[key]


@pytest.fixture
def loader() -> FakeLoader:
    return FakeLoader()


def pool_of(loader: FakeLoader, *, pinned: tuple[Key, ...] = ()) -> Pool[str]:
    return Pool(loader, budget_bytes=100, pinned=pinned)


def use(pool: Pool[str], *keys: Key) -> None:
    for key in keys:
        with pool.using(key) as item:
            assert item == f"weights of {key.model}"


def test_weights_are_loaded_once_while_they_stay(loader: FakeLoader) -> None:
    pool = pool_of(loader)
    use(pool, A, B, A, B, A)
    assert loader.log == ["+a", "+b"]
    assert pool.used_bytes == 70


def test_the_ones_used_longest_ago_go_first_and_before_the_new_ones_come(
    loader: FakeLoader,
) -> None:
    pool = Pool(loader, budget_bytes=70)
    use(pool, A, B, A, C)
    assert loader.log == ["+a", "+b", "-b", "+c"]
    assert pool.resident == (A, C)


def test_nothing_goes_while_there_is_room(loader: FakeLoader) -> None:
    pool = pool_of(loader)
    use(pool, A, B, C)
    assert pool.resident == (A, B, C)
    assert pool.used_bytes == 100


def test_presets_and_melted_loras_are_weights_of_their_own(loader: FakeLoader) -> None:
    fast = Key(model="a", preset="fast")
    styled = Key(model="a", preset="fast", loras=("film",))
    SIZES.update({fast: 10, styled: 10})
    pool = pool_of(loader)
    use(pool, A, fast, styled)
    assert loader.log == ["+a", "+a", "+a"]


def test_pinned_weights_stay(loader: FakeLoader) -> None:
    pool = pool_of(loader, pinned=(A,))
    use(pool, A, B, C, B, C)
    pool.forget(B)
    use(pool, D)
    assert pool.resident == (A, D)


def test_weights_in_use_stay(loader: FakeLoader) -> None:
    pool = pool_of(loader)
    with pool.using(A):
        use(pool, B, D)
        assert A in pool.resident
    use(pool, B)
    assert loader.log == ["+a", "+b", "-b", "+d", "-a", "-d", "+b"]


def test_weights_larger_than_the_budget_are_loaded_alone(loader: FakeLoader) -> None:
    pool = pool_of(loader)
    use(pool, A, B, D)
    assert pool.resident == (D,)


def test_a_load_that_fails_leaves_the_pool_as_it_says() -> None:
    loader = FakeLoader(faulty=frozenset({D}))
    pool = pool_of(loader)
    use(pool, A)
    with pytest.raises(OSError, match="gone"):
        use(pool, D)
    assert pool.resident == ()
    assert pool.used_bytes == 0
    use(pool, A)


def test_a_run_that_fails_lets_go_of_its_weights(loader: FakeLoader) -> None:
    pool = pool_of(loader)
    with pytest.raises(ZeroDivisionError), pool.using(A):
        raise ZeroDivisionError
    use(pool, D)
    assert pool.resident == (D,)


def test_damaged_weights_are_loaded_again(loader: FakeLoader) -> None:
    pool = pool_of(loader, pinned=(A,))
    use(pool, A)
    pool.forget(A)
    pool.forget(A)
    use(pool, A)
    assert loader.log == ["+a", "-a", "+a"]


def test_clearing_puts_everything_out_also_what_is_pinned(loader: FakeLoader) -> None:
    pool = pool_of(loader, pinned=(A,))
    use(pool, A, B)
    pool.clear()
    assert (pool.resident, pool.used_bytes) == ((), 0)


def test_what_will_be_wanted_is_loaded_where_there_is_room(loader: FakeLoader) -> None:
    pool = pool_of(loader)
    with pool.using(A):
        assert pool.prefetch(B)
        assert pool.prefetch(B)
    assert loader.log == ["+a", "+b"]


def test_a_prefetch_puts_out_what_is_idle_but_nothing_that_is_to_be_kept(
    loader: FakeLoader,
) -> None:
    pool = Pool(loader, budget_bytes=70)
    use(pool, A)
    with pool.using(B):
        assert not pool.prefetch(C, keep=(A,))
        assert pool.prefetch(C)
    assert loader.log == ["+a", "+b", "-a", "+c"]


def test_a_prefetch_that_cannot_fit_puts_nothing_out(loader: FakeLoader) -> None:
    pool = pool_of(loader)
    use(pool, A)
    assert not pool.prefetch(D)
    assert pool.resident == (A,)


def orders(*keys: Key, since_s: float = 0.0) -> list[Waiting]:
    """In this order, a second apart."""
    return [Waiting(key=key, since_s=since_s + i) for i, key in enumerate(keys)]


def chosen(waiting: list[Waiting], resident: tuple[Key, ...], **given: object) -> int | None:
    members: dict[str, object] = {"now_s": 5.0, "patience_s": 60.0} | given
    return choose(waiting, resident, **members)  # type: ignore[arg-type]


def test_nobody_waits_nobody_is_taken() -> None:
    assert chosen([], (A,)) is None


def test_the_oldest_is_taken_when_nothing_is_warm() -> None:
    assert chosen(orders(A, B), ()) == 0


def test_an_order_for_the_weights_used_last_goes_first() -> None:
    assert chosen(orders(A, C, B, B), (A, B), last=B) == 2


def test_an_order_for_warm_weights_goes_before_one_that_must_load() -> None:
    assert chosen(orders(A, C, B), (B,), last=D) == 2


def test_nobody_is_passed_over_for_longer_than_the_limit() -> None:
    waiting = orders(A, B, B)
    assert chosen(waiting, (B,), last=B, now_s=59.9) == 1
    assert chosen(waiting, (B,), last=B, now_s=60.0) == 0


def test_without_patience_it_is_first_come_first_served() -> None:
    assert chosen(orders(A, B), (B,), last=B, patience_s=0.0) == 0


def test_a_steady_stream_for_warm_weights_cannot_starve_the_others() -> None:
    now_s, taken = 0.0, []
    waiting = [Waiting(key=A, since_s=0.0)]
    while A not in taken:
        waiting.append(Waiting(key=B, since_s=now_s))
        index = choose(waiting, (B,), last=B, now_s=now_s, patience_s=30.0)
        assert index is not None
        taken.append(waiting.pop(index).key)
        now_s += 10.0
    assert now_s <= 40.0 + 10.0


def test_the_weights_to_prefetch_are_those_of_the_oldest_that_must_load() -> None:
    assert upcoming(orders(B, C, A), (B,)) == C
    assert upcoming(orders(B), (B,)) is None
