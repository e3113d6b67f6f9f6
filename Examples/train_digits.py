"""Trains the small PyTorch network that infinite_networks.ipynb and infinite_networks.sh ask about, and writes its weights.

usage: train_digits.py [FOLDER]        (Examples/data if absent)

A torch.nn.Sequential of 64, 64 and 10 units with ReLU; 1,000 handwritten digits (pixels divided by 16); 150 full-batch steps of Adam on the cross
entropy, with learning rate 0.005 and seed 0. Writes digits_initial.safetensors and digits_trained.safetensors. Needs torch, safetensors and numpy.
"""
import gzip
import pathlib
import sys

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

DATA = pathlib.Path(__file__).resolve().parent / "data"


def main() -> None:
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else DATA
    with gzip.open(DATA / "digits.csv.gz", "rt") as file:
        table = np.loadtxt(file, delimiter=",")
    x = torch.tensor(table[:, :64] / 16, dtype=torch.float32)
    y = torch.tensor(table[:, 64].astype(int))
    train = np.arange(len(table)) * 1000 % 1797 < 1000
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    save_file(model.state_dict(), folder / "digits_initial.safetensors")
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
    for _ in range(150):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x[train]), y[train]).backward()
        optimizer.step()
    right = (model(x).argmax(1) == y).float()
    print(f"accuracy: {right[train].mean():.4f} of the training digits, {right[~train].mean():.4f} of the others")
    save_file(model.state_dict(), folder / "digits_trained.safetensors")


if __name__ == "__main__":
    main()
