"""Settings of the representation model, its sizes, and the two presets."""

from dataclasses import dataclass
from enum import StrEnum

from relvm_kg.config import require


class Size(StrEnum):
    """Sizes of the paper, by the number of hidden units."""

    X_SMALL = "x-small"
    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"

    @property
    def hidden(self) -> int:
        """Hidden units: 128, 256, 512 or 1024."""
        return {"x-small": 128, "small": 256, "medium": 512, "large": 1024}[self.value]


class Preset(StrEnum):
    """`paper` is the released architecture, `default` what measured best."""

    PAPER = "paper"
    DEFAULT = "default"


class EntityStart(StrEnum):
    """What the entity vectors start from."""

    RANDOM = "random"
    TEXT = "text"
    """The text profile."""
    COMENTION = "co-mention"
    """The co-mention profile."""
    PROFILES = "profiles"
    """Half of each."""


class Bound(StrEnum):
    """What the bound is averaged over: sentences alike, or sentences weighted by one over their length."""

    PER_SENTENCE = "per-sentence"
    PER_TOKEN = "per-token"


class Softmax(StrEnum):
    """The softmax over the vocabulary that training uses; every reported figure of a trained model is exact."""

    EXACT = "exact"
    SAMPLED = "sampled"
    """Over a sample of tokens, new in each step, where the vocabulary is more than twice as large as the sample."""


class Precision(StrEnum):
    """Of training's large matrix products; every reported figure is made in float32."""

    AUTO = "auto"
    """bfloat16 where the processor has it and a trial of it comes out right, else float32."""
    FLOAT32 = "float32"
    """Everywhere the same result, but for rounding."""


class PairScope(StrEnum):
    """Which pairs are labelled."""

    COMENTIONED = "co-mentioned"
    """Pairs that a sentence mentions together, as in the paper."""
    WITH_TEXT = "with-text"
    """These, and every known pair whose two entities have text, mentioned together or not: for small corpora."""


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Architecture of RELVM."""

    hidden: int = 128
    """Units of the LSTMs and of the layers of the prior and recognition networks."""
    latent: int = 300
    """Dimensions of u and of z."""
    embedding: int = 300
    """Dimensions of entity and token vectors."""
    scale_entities: bool = True
    """Give entity vectors the length sqrt(embedding) instead of 1, so that the pair is not drowned out by u."""
    residual: bool = True
    """A linear path from [e(x); e(y); e(x)*e(y)] to z's mean."""
    entity_start: EntityStart = EntityStart.PROFILES
    """Where the entity vectors start."""
    prior_hidden: int = 0
    """Units of the prior's layers; 0 takes `hidden`."""
    prior_layers: int = 2
    """Layers of the prior before z's mean and log-variance."""
    mixture: int = 0
    """Dimensions of u that are in use; 0 takes all `latent` of them."""
    upper: int = 0
    """Dimensions of u that stand above the others, which are then normal given the pair and these: a hierarchy of
    latent variables above z (the paper's future work). 0 leaves u flat."""
    posterior_scale: float = 0.0
    """Standard deviation over contexts to which each dimension of the mean of q(u|x,y,c) is normalised (BN-VAE, Zhu
    et al. 2020), which holds the KL term above latent * scale^2 / 2; 0 leaves the mean alone."""
    contrast: bool = False
    """Whether the recognition network also learns to tell the context's pair from others (InfoNCE)."""
    wide_mean_start: bool = False
    """Start the weights of z's mean at N(0, 1), as the released code does."""
    log_variance_limit: float = 6.0
    """Log-variances are clamped to plus and minus this."""

    def __post_init__(self) -> None:
        for name in ("hidden", "latent", "embedding"):
            require(getattr(self, name) >= 1, f"model.{name}", "be at least 1", getattr(self, name))
        require(self.prior_hidden >= 0, "model.prior_hidden", "not be negative", self.prior_hidden)
        require(self.prior_layers >= 2, "model.prior_layers", "be at least 2", self.prior_layers)
        require(0 <= self.mixture <= self.latent, "model.mixture", "be between 0 and latent", self.mixture)
        require(0 <= self.upper < self.latent, "model.upper", "be between 0 and latent", self.upper)
        require(self.posterior_scale >= 0, "model.posterior_scale", "not be negative", self.posterior_scale)
        require(self.log_variance_limit > 0, "model.log_variance_limit", "be positive", self.log_variance_limit)


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """How the representation is trained."""

    epochs: float = 2.0
    """Passes over the training contexts (a fraction ends within one)."""
    steps: int = 0
    """Iterations, in place of epochs; 0 leaves it to the epochs."""
    batch_size: int = 64
    """Contexts a step."""
    learning_rate: float = 1e-3
    """Of Adam."""
    decay: float = 0.5
    """Share of the steps, at the end, over which the learning rate falls to zero in a straight line."""
    anneal: float = 0.2
    """KL weight rises from 0 to 1 over this many iterations, or over this share of them if below 1."""
    free_nats: float = 0.0
    """KL below this many nats a context costs nothing, so that u may carry them (Li et al. 2019)."""
    free_nats_per_unit: float = 0.0
    """The same for each dimension of u on its own, in the mean over a batch (free bits, Kingma et al. 2016)."""
    anneal_cycles: int = 1
    """How often the KL weight rises from 0 to 1, in equal parts of the run (Fu et al. 2019)."""
    u_dropout: float = 0.0
    """Share of contexts whose u is drawn from p(u) instead, at no KL, so that z has to hold the pair."""
    contrast_weight: float = 1.0
    """Weight of the InfoNCE term of a model with `contrast`."""
    contrast_negatives: int = 4
    """Other heads, and other tails, that each context's pair is told from."""
    pair_sampling: float = 1.0
    """A pair with n contexts is drawn in proportion to n to this power; below 1, rare pairs come more often."""
    token_dropout: float = 0.5
    """Share of the decoder's input tokens that are hidden from it; the kept ones are scaled up."""
    type_share: float = 0.1
    """Share of contexts whose entities are replaced by their types, for use where ids say nothing."""
    bound: Bound = Bound.PER_SENTENCE
    """What the bound is averaged over."""
    softmax: Softmax = Softmax.EXACT
    """Over all tokens, or estimated from a sample of them."""
    sampled_tokens: int = 4096
    """Tokens in a sample."""
    gradient_limit: float = 5.0
    """Gradients are scaled down to this norm; 0 leaves them."""
    seed: int = 0
    """Of every random draw."""
    checkpoint_seconds: float = 60.0
    """Time between checkpoints."""
    max_contexts: int = 0
    """Train on a fixed sample of this many contexts; 0 takes all."""
    precision: Precision = Precision.AUTO
    """Of the large matrix products."""
    probes: int = 20
    """How often the model is measured on held-out contexts, evenly over the run and at its end; 0 never."""

    def __post_init__(self) -> None:
        require(self.epochs > 0, "training.epochs", "be positive", self.epochs)
        require(self.steps >= 0, "training.steps", "not be negative", self.steps)
        require(self.batch_size >= 1, "training.batch_size", "be at least 1", self.batch_size)
        require(self.learning_rate > 0, "training.learning_rate", "be positive", self.learning_rate)
        require(0 <= self.decay <= 1, "training.decay", "be in [0, 1]", self.decay)
        require(self.anneal >= 0, "training.anneal", "not be negative", self.anneal)
        require(self.free_nats >= 0, "training.free_nats", "not be negative", self.free_nats)
        require(self.free_nats_per_unit >= 0, "training.free_nats_per_unit", "not be negative", self.free_nats_per_unit)
        require(self.anneal_cycles >= 1, "training.anneal_cycles", "be at least 1", self.anneal_cycles)
        require(0 <= self.u_dropout <= 1, "training.u_dropout", "be in [0, 1]", self.u_dropout)
        require(self.contrast_weight >= 0, "training.contrast_weight", "not be negative", self.contrast_weight)
        require(self.contrast_negatives >= 1, "training.contrast_negatives", "be at least 1", self.contrast_negatives)
        require(0 <= self.pair_sampling <= 1, "training.pair_sampling", "be in [0, 1]", self.pair_sampling)
        require(0 <= self.token_dropout < 1, "training.token_dropout", "be in [0, 1)", self.token_dropout)
        require(0 <= self.type_share <= 1, "training.type_share", "be in [0, 1]", self.type_share)
        require(self.probes >= 0, "training.probes", "not be negative", self.probes)
        require(self.sampled_tokens >= 64, "training.sampled_tokens", "be at least 64", self.sampled_tokens)

    def samples(self, n_vocabulary: int) -> bool:
        """Whether training on a vocabulary of this size estimates the softmax from a sample."""
        return self.softmax is Softmax.SAMPLED and n_vocabulary > 2 * self.sampled_tokens


def model_config(preset: Preset, size: Size) -> ModelConfig:
    """The architecture of a preset at a size."""
    if preset is Preset.PAPER:
        return ModelConfig(
            hidden=size.hidden,
            scale_entities=False,
            residual=False,
            entity_start=EntityStart.RANDOM,
            wide_mean_start=True,
        )
    return ModelConfig(hidden=size.hidden, contrast=True, mixture=64)


def training_config(preset: Preset) -> TrainingConfig:
    """The training settings of a preset.

    The paper's are batch 192, Adam 1e-4, 400,000 iterations, annealing over 10,000 (Shah and Fauqueur 2020).
    """
    if preset is Preset.PAPER:
        return TrainingConfig(
            steps=400_000,
            batch_size=192,
            learning_rate=1e-4,
            decay=0.0,
            anneal=10_000,
            type_share=0.0,
            bound=Bound.PER_TOKEN,
            gradient_limit=0.0,
        )
    return TrainingConfig(softmax=Softmax.SAMPLED, free_nats_per_unit=0.1)
