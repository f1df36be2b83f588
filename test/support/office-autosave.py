# Edits a text document in a LibreOffice that has a window and autosaves at once; for tests that kill it.
#
# Arguments: the document, the text. Autosave is switched off and on while LibreOffice runs, as its
# options dialog does: that arms the timer anew, and an interval of nothing fires it at once.
import subprocess
import sys
import time

import uno
from com.sun.star.beans import PropertyValue
from com.sun.star.connection import NoConnectException

ACCEPT = 'pipe,name=autosave;urp;StarOffice.ServiceManager'
subprocess.Popen(['/usr/bin/soffice', '--nologo', '--nodefault', '--accept=' + ACCEPT])
local = uno.getComponentContext()
resolver = local.ServiceManager.createInstanceWithContext('com.sun.star.bridge.UnoUrlResolver', local)
for _ in range(600):
    try:
        context = resolver.resolve('uno:pipe,name=autosave;urp;StarOffice.ComponentContext')
        break
    except NoConnectException:
        time.sleep(0.1)
else:
    sys.exit('LibreOffice does not answer')


def create(name):
    return context.ServiceManager.createInstanceWithContext(name, context)


# Documents loaded before this service is there are not looked after; LibreOffice makes it late.
context.getValueByName('/singletons/com.sun.star.frame.theAutoRecovery')
desktop = create('com.sun.star.frame.Desktop')
document = desktop.loadComponentFromURL(uno.systemPathToFileUrl(sys.argv[1]), '_blank', 0, ())
document.Text.String = sys.argv[2]
provider = create('com.sun.star.configuration.ConfigurationProvider')
node = PropertyValue(Name='nodepath', Value='/org.openoffice.Office.Recovery/AutoSave')
settings = provider.createInstanceWithArguments('com.sun.star.configuration.ConfigurationUpdateAccess', (node,))
print('edited', flush=True)
while True:
    for enabled in (False, True):
        settings.Enabled = enabled
        settings.TimeIntervall = 0
        settings.commitChanges()
    # LibreOffice waits until nobody has typed for ten seconds; then the timer may have run out.
    time.sleep(12)
