# The public API on one screen: lazy_loader reads this file when uap_core is imported, editors and mypy read it too.

# Networks: pixels in [0,1] to logits
from .models.classifier import Classifier as Classifier
from .models.wrapping import wrap as wrap
from .models.zoo import Zoo as Zoo
from .models.zoo import load_model as load_model

# Pictures
from .datasets.image_sets import ImageSet as ImageSet
from .datasets.image_sets import open_image_set as open_image_set
from .images.reading import open_image as open_image
from .images.reading import png_bytes as png_bytes
from .images.reading import preprocess as preprocess
from .images.photographs import sample_photos as sample_photos
from .io.paths import dreams_path as dreams_path

# Perturbations
from .norms import Ball as Ball
from .perturbations.perturbation import Perturbation as Perturbation
from .perturbations.perturbation import apply as apply
from .perturbations.perturbation import load_perturbation as load_perturbation
from .perturbations.perturbation import save_perturbation as save_perturbation

# One pattern for many pictures: one call, then every method of crafting
from .api import craft as craft
from .crafting.activations import Activations as Activations
from .crafting.class_alone import ClassAlone as ClassAlone
from .crafting.cos_uap import Cosine as Cosine
from .crafting.deepfool_uap import DeepFoolUAP as DeepFoolUAP
from .crafting.default import Default as Default
from .crafting.base import Crafter as Crafter
from .crafting.base import Progress as Progress
from .crafting.df_uap import Margin as Margin
from .crafting.few_pictures import FewPictures as FewPictures
from .crafting.intri_uap import Intrinsic as Intrinsic
from .crafting.sga import SGA as SGA
from .crafting.sv_uap import Singular as Singular
from .crafting.spgd import SPGD as SPGD
from .crafting.transfer import Transfer as Transfer
from .crafting.detector_aware import Unnoticed as Unnoticed

# What counts as success, for both
from .attacks.criterion import Criterion as Criterion

# Each picture by itself: one call, then every attack
from .api import attack as attack
from .attacks.base import Attack as Attack
from .attacks.cw_l2 import CarliniWagner as CarliniWagner
from .attacks.cw_l0 import CarliniWagnerL0 as CarliniWagnerL0
from .attacks.cw_linf import CarliniWagnerLinf as CarliniWagnerLinf
from .attacks.deepfool import DeepFool as DeepFool
from .attacks.fgsm import FGSM as FGSM
from .attacks.cw_general import Hinge as Hinge
from .attacks.bim import BIM as BIM
from .attacks.bim import MIFGSM as MIFGSM
from .attacks.bim import PGD as PGD
from .attacks.bim import IterativeFGSM as IterativeFGSM
from .attacks.lbfgs import LBFGS as LBFGS
from .attacks.ce_penalty import Penalty as Penalty
from .attacks.result import AttackResult as AttackResult
from .attacks.square import Square as Square

# Measuring
from .experiments.compare import compare as compare
from .experiments.evaluation import Evaluation as Evaluation
from .experiments.evaluation import evaluate as evaluate
from .experiments.sample_curve import sample_curve as sample_curve
from .experiments.epsilon_sweep import epsilon_sweep as epsilon_sweep
from .metrics import Rate as Rate

from .errors import UapError as UapError

__version__: str
