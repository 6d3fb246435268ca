"""Distributed training: the group of processes that train one GAN, each on its shard of every batch."""

from otgan.gan.distributed.group import SINGLE_PROCESS, ProcessGroup

__all__ = ["SINGLE_PROCESS", "ProcessGroup"]
