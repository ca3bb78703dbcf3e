# Makes .venv hold the package. Loaded by run_all.ps1 and run_tests.ps1, from the project's root.
#
# $env:PYTHON names the interpreter to make .venv with.

$Venv = '.venv'
$VenvPython = Join-Path $Venv 'Scripts\python.exe'
$InstallLog = Join-Path $Venv 'install.log'
$env:PIP_DISABLE_PIP_VERSION_CHECK = '1'

function Stop-WithLine([string] $Line) {
    [Console]::Error.WriteLine("seedproof: $Line")
    exit 2
}

function Assert-Success {
    if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
}

# The path of the interpreter that a command starts, if that is Python 3.11 or newer.
function Get-RecentPython([string] $Command, [string] $Option) {
    # Windows PowerShell would stop at the first line that `py` writes to standard error.
    $ErrorActionPreference = 'Continue'
    if (-not (Get-Command $Command -ErrorAction SilentlyContinue)) { return }
    $code = 'import sys; sys.version_info >= (3, 11) and print(sys.executable)'
    if ($Option) { & $Command $Option -c $code 2>$null } else { & $Command -c $code 2>$null }
}

function Find-Python {
    if ($env:PYTHON) {
        $found = Get-RecentPython $env:PYTHON
        if (-not $found) { Stop-WithLine "PYTHON=$env:PYTHON is no Python 3.11 or newer" }
        return $found
    }
    $found = Get-RecentPython 'py' '-3'
    if (-not $found) { $found = Get-RecentPython 'python' }
    if (-not $found) {
        Stop-WithLine 'found no Python 3.11 or newer; install one, or name it in $env:PYTHON'
    }
    return $found
}

# An environment that is there may be somebody's work: it is used or refused, never replaced.
function Initialize-Venv {
    if (-not (Test-Path $Venv)) {
        $python = Find-Python
        Write-Host "seedproof: making $Venv with $python"
        & $python -m venv $Venv
        if ($LASTEXITCODE -ne 0) {
            Stop-WithLine "$Venv could not be made; remove it and start again"
        }
    }
    if (-not (Get-RecentPython $VenvPython)) {
        Stop-WithLine "$Venv is there, but without Python 3.11 or newer; move it away and start again"
    }
}

# The place counts too: the scripts in an environment that was moved start nothing.
function Get-WhatIsWanted([string] $Extras, [string] $Constraints) {
    $files = @('pyproject.toml', 'hatch_build.py', 'src/seedproof/trace/ml64.c')
    if ($Constraints) { $files += $Constraints }
    $hashes = Get-FileHash $files | ForEach-Object { $_.Hash }
    return (@("$PWD", $Extras, (& $VenvPython -VV)) + $hashes) -join ' '
}

# Name tells apart the stamps of those who want different extras.
function Install-Seedproof([string] $Name, [string] $Extras, [string] $Constraints) {
    Initialize-Venv
    $stamp = Join-Path $Venv "installed-$Name"
    $wanted = Get-WhatIsWanted $Extras $Constraints
    if ((Test-Path $stamp) -and ((Get-Content $stamp) -eq $wanted)) { return }
    Write-Host "seedproof: installing [$Extras] into $Venv; takes minutes, and only now (log: $InstallLog)"
    $options = @('--editable', ".[$Extras]")
    if ($Constraints) { $options += @('--constraint', $Constraints) }
    & $VenvPython -m pip install --quiet --log $InstallLog @options
    if ($LASTEXITCODE -ne 0) { Stop-WithLine "installing failed; see above and $InstallLog (for another Python, remove $Venv and set `$env:PYTHON)" }
    Set-Content $stamp $wanted
}
