# Saves one text document again and again through LibreOffice's UNO interface, for tests that kill it.
#
# Arguments: the document, which exists. Writes a version number into it, stores it, and only then
# prints the number; each version is a different size, so that a mixture of two would show.
import os
import subprocess
import sys
import time

import uno
from com.sun.star.beans import PropertyValue
from com.sun.star.connection import NoConnectException

ACCEPT = 'pipe,name=saver;urp;StarOffice.ServiceManager'


def connect():
    subprocess.Popen(['/usr/bin/soffice', '--headless', '--nologo', '--norestore', '--accept=' + ACCEPT])
    local = uno.getComponentContext()
    resolver = local.ServiceManager.createInstanceWithContext('com.sun.star.bridge.UnoUrlResolver', local)
    for _ in range(600):
        try:
            return resolver.resolve('uno:pipe,name=saver;urp;StarOffice.ComponentContext')
        except NoConnectException:
            time.sleep(0.1)
    sys.exit('LibreOffice does not answer')


context = connect()
desktop = context.ServiceManager.createInstanceWithContext('com.sun.star.frame.Desktop', context)
hidden = PropertyValue(Name='Hidden', Value=True)
document = desktop.loadComponentFromURL(uno.systemPathToFileUrl(sys.argv[1]), '_blank', 0, (hidden,))
version = 0
while True:
    version += 1
    filler = os.urandom(20_000 + 1_000 * (version % 50)).hex()
    document.Text.String = 'VERSION-%d-BEGIN %s VERSION-%d-END' % (version, filler, version)
    document.store()
    print(version, flush=True)
