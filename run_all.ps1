# Trains the reference experiment with and without the options and evaluates it: `seedproof demo`.
# Needs Python 3.11 or newer; everything else goes into .venv. Arguments go to demo.
$ErrorActionPreference = 'Stop'
Set-Location $PSScriptRoot
. .\env\setup.ps1

Install-Seedproof 'demo' 'tensorflow-cpu,experiment'
& .\.venv\Scripts\seedproof.exe demo @args
exit $LASTEXITCODE
