"""torchvision's names, imported as the package imports them: also where its compiled operators want CUDA libraries."""

from uap_core.models.libraries import import_torchvision

tv_models = import_torchvision().models
tv_datasets = import_torchvision().datasets
