"""Debian's Chromium, and how it is started in a machine without a screen."""

import shutil

# Chromium takes the last list alone, so Playwright's own is repeated. What hangs under the address
# bar is drawn as pages of their own: nobody sees them here, and they cost half of a new window.
_PLAYWRIGHTS = (
    "AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,HttpsUpgrades,"
    "HttpsFirstBalancedModeAutoEnable,LensOverlay,MediaRouter,PaintHolding,"
    "ThirdPartyStoragePartitioning,AvoidCorsURLLoaderRestartOnRedirect,OptimizationHints,"
    "NetworkTimeServiceQuerying,AimEnabled,PreconnectToSearch"
)
_UNSEEN = "WebUIOmniboxPopup,WebUIOmniboxFullPopup,WebUIOmniboxAimPopup"

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--disable-features={_PLAYWRIGHTS},{_UNSEEN}",
]


def chromium_path(*, is_whole: bool = False) -> str:
    """The shell without windows where there is one: a page costs it a fifth less. It shows no
    notifications and knows little of tabs behind each other; who needs them asks for the whole."""
    shell = None if is_whole else shutil.which("chromium-headless-shell")
    return shell or shutil.which("chromium") or "/usr/bin/chromium"
