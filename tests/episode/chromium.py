"""Chromium without a window, where it is installed."""

from __future__ import annotations

import shutil

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


def headless(width: int = 1280, height: int = 800) -> webdriver.Chrome:
    """Return a browser of this size, px, that keeps what pages log; whoever asks must quit it."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    # A container has no sandbox of its own to give, and little shared memory.
    for flag in ("headless=new", "no-sandbox", "disable-dev-shm-usage"):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    # Named, so that nothing is looked for on the network.
    driver = shutil.which("chromedriver")
    assert driver, "Chromium is installed but not its driver: apt-get install chromium-driver"
    opened = webdriver.Chrome(options=options, service=Service(driver))
    # A window's size has a frame in it, the page's has not.
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    return opened
