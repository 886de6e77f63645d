"""Dense, convolutional and recurrent networks, their losses and optimiser: plain torch modules, handed to agents."""

from .activations import ACTIVATIONS as ACTIVATIONS
from .activations import ActivationName as ActivationName
from .convolutional import Convolutional as Convolutional
from .convolutional import Filters as Filters
from .convolutional import output_size as output_size
from .dense import Dense as Dense
from .flat import FlatParameters as FlatParameters
from .flat import kind_of as kind_of
from .heads import DuelingHead as DuelingHead
from .heads import LinearHead as LinearHead
from .layers import Dropout as Dropout
from .layers import Gather as Gather
from .losses import LOSSES as LOSSES
from .losses import Loss as Loss
from .losses import LossName as LossName
from .losses import cross_entropy as cross_entropy
from .losses import huber as huber
from .losses import huber_slope as huber_slope
from .losses import mean_squared_error as mean_squared_error
from .losses import squared_slope as squared_slope
from .optimisers import Adam as Adam
from .optimisers import move_towards as move_towards
from .plain import PlainDense as PlainDense
from .recurrent import Gates as Gates
from .recurrent import Recurrent as Recurrent
from .recurrent import RecurrentValues as RecurrentValues
