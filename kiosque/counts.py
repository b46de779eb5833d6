"""Counts in words, for those who read French: commands, checks, the régisseur's list."""


def counted(number: int, words: str) -> str:
    """Say `0 courriel abandonné`, `1 courriel abandonné`, `2 courriels abandonnés`.

    In French the plural begins at two. `words` are singular, and each takes an `s`.
    """
    if number < 2:
        return f"{number} {words}"
    return f"{number} {' '.join(f'{word}s' for word in words.split())}"
