# Lints, checks types and tests. `--all` first includes the tests marked slow; the rest goes to pytest.
$ErrorActionPreference = 'Stop'
Set-Location $PSScriptRoot
. .\env\setup.ps1

$tests = 'not slow'
$rest = $args
if ($args.Count -gt 0 -and $args[0] -eq '--all') {
    $tests = 'slow or not slow'
    $rest = @($args | Select-Object -Skip 1)
}

Install-Seedproof 'tests' 'tensorflow-cpu,torch,jax,experiment,dev' 'env\constraints-test.txt'
& $VenvPython -m ruff check .
Assert-Success
& $VenvPython -m ruff format --check .
Assert-Success
& $VenvPython -m mypy
Assert-Success
& $VenvPython -m pytest -m $tests @rest
exit $LASTEXITCODE
