"""Find Debian's Chromium, and start it on a machine without a screen."""

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
    """Return the windowless shell where there is one: its pages cost a fifth less.

    It shows no notifications and handles background tabs poorly. With `is_whole`, return the full
    browser instead.
    """
    shell = None if is_whole else shutil.which("chromium-headless-shell")
    return shell or shutil.which("chromium") or "/usr/bin/chromium"
