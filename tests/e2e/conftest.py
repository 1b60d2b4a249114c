# SPDX-License-Identifier: Apache-2.0
from fixtures import binary, clock, simulate, site  # noqa: F401
