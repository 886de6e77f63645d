"""Environments of the family 'operations', one file an environment or close family."""

from .access_control import AccessControl as AccessControl
from .bus_engine import BusEngine as BusEngine
from .forest_management import ForestManagement as ForestManagement
from .gambler import Gambler as Gambler
from .howard import HowardTaxicab as HowardTaxicab
from .howard import HowardToymaker as HowardToymaker
from .inventory import Inventory as Inventory
from .jacks_car_rental import JacksCarRental as JacksCarRental
from .machine_maintenance import MachineMaintenance as MachineMaintenance
from .puterman_inventory import PutermanInventory as PutermanInventory
from .queue_admission import QueueAdmission as QueueAdmission
from .recycling_robot import RecyclingRobot as RecyclingRobot
