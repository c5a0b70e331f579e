"""Pictures, labels and augmentation on a GPU: the crops of `augment`, made in whole batches there.

from bodypix_train.datasets.device.store import Store
from bodypix_train.datasets.device.stream import DeviceStream

store = Store(mixture, torch.device("cuda"))  # once for a run: it fills while batches are drawn
for batch in prefetch(DeviceStream(store, 256, 193, seed=0)):
    ...
"""
