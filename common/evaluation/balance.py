"""How two players stand, in words."""

import pandas as pd

EVEN = 0.15
ONE_SIDED = 0.9
STALLED_EPOCHS = 3
STALLED = 0.02


def balance(history: pd.DataFrame) -> str:
    """Read a GAN's training history: who was winning at its end, and what usually helps.

    Args:
        history: a row per epoch, with the columns `d_real` and `d_fake` (mean probability of being
            real that the discriminator gives real and generated images), `score_real` and
            `score_fake` (mean scores that a squared loss pulls to 1 and 0), or `critic_distance`.
    """
    last = history.iloc[-1]
    if "critic_distance" in history:
        peak, end = history["critic_distance"].max(), last["critic_distance"]
        if len(history) < STALLED_EPOCHS:
            return f"Critic's distance: {end:.4g}."
        if peak <= 0:
            return (
                f"Critic's distance: {end:.4g}: it does not tell real from generated images; "
                "give it more steps (n_critic) or a larger learning rate."
            )
        if end < 0.5 * peak:
            return f"Critic's distance: {end:.4g}, down from {peak:.4g}: the generator gains."
        return (
            f"Critic's distance: {end:.4g} of at most {peak:.4g}: the generator gains little; "
            "train longer, or raise both learning rates together."
        )
    believes = "d_real" in history
    prefix = "d" if believes else "score"
    real, fake = last[f"{prefix}_real"], last[f"{prefix}_fake"]
    stand = f"D(real) {real:.2f}, D(fake) {fake:.2f}: "
    if abs(real - fake) < EVEN:
        return stand + "the discriminator hardly tells them apart; the players are even."
    # Scores near 0 still teach the generator; probabilities near 0 no longer do.
    long_enough = believes and len(history) >= STALLED_EPOCHS
    if long_enough and (history["d_fake"][-STALLED_EPOCHS:] < STALLED).all():
        return stand + (
            "the generator stands still, as nothing it draws is believed; start anew with a "
            "smaller learning rate of the discriminator, or try wgan."
        )
    if real > ONE_SIDED and fake < 1 - ONE_SIDED:
        smoothing = ", or smooth its labels (label_smoothing=0.1)" if believes else ""
        return stand + f"the discriminator wins; lower its learning rate{smoothing}."
    return stand + "both players learn."
