# Signs this device in with PowerShell 7 alone (RFC 8628). Usage: pwsh device.ps1 ISSUER CLIENT_ID; the token goes to stdout.
param([Parameter(Mandatory)] [string] $Issuer, [Parameter(Mandatory)] [string] $ClientId)
$ErrorActionPreference = 'Stop'
$scope = if ($env:SCOPE) { $env:SCOPE } else { 'openid' }

$metadata = Invoke-RestMethod "$($Issuer.TrimEnd('/'))/.well-known/openid-configuration"
$start = Invoke-RestMethod $metadata.device_authorization_endpoint -Method Post -Body @{ client_id = $ClientId; scope = $scope }
[Console]::Error.WriteLine("Open $($start.verification_uri) and type $($start.user_code)")

$interval = if ($start.interval) { $start.interval } else { 5 }
$form = @{
    grant_type  = 'urn:ietf:params:oauth:grant-type:device_code'
    device_code = $start.device_code
    client_id   = $ClientId
}
while ($true) {
    Start-Sleep -Seconds $interval
    # An error of OAuth is JSON too, and no answer is no reason to stop.
    try { $answer = Invoke-RestMethod $metadata.token_endpoint -Method Post -Body $form -SkipHttpErrorCheck } catch { continue }
    if ($answer.access_token) { $answer.access_token; exit 0 }
    switch ($answer.error) {
        'slow_down' { $interval += 5 }
        { $_ -in 'authorization_pending', 'temporarily_unavailable' } { }
        default { [Console]::Error.WriteLine("Refused: $($answer.error)"); exit 1 }
    }
}
