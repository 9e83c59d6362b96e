<?php
// php client.php URL MODE FILE TYPE: sends FILE, prints the status and the answer.
[, $url, $mode, $file, $type] = $argv;
$challenge = $mode === 'challenge' || $mode === 'expect';
if ($mode === 'xml') {
    // SimpleXML, as it is mostly used: it parses the body and writes each Czech letter as a reference.
    $body = simplexml_load_file($file)->asXML();
    $headers = "Content-Type: $type\r\nAuthorization: Basic " . base64_encode('operator:operator') . "\r\n";
    $options = ['method' => 'POST', 'header' => $headers, 'content' => $body, 'ignore_errors' => true];
    $context = stream_context_create(['http' => $options]);
    $answer = file_get_contents($url, false, $context);
    preg_match('/ (\d+) /', $http_response_header[0], $status);
    echo $status[1], ' ', $answer;
    exit;
}
$curl = curl_init($url);
$options = [
    CURLOPT_USERPWD => 'operator:operator',
    CURLOPT_HTTPAUTH => $challenge ? CURLAUTH_ANY : CURLAUTH_BASIC,
    CURLOPT_RETURNTRANSFER => true,
    CURLOPT_HTTPHEADER => ["Content-type: $type", $mode === 'expect' ? 'Expect: 100-continue' : 'Expect:'],
];
if ($mode === 'big' || $mode === 'expect') {
    $body = fopen($file, 'r');
    $options += [CURLOPT_CUSTOMREQUEST => 'POST', CURLOPT_UPLOAD => true, CURLOPT_INFILE => $body];
    if ($mode === 'expect') $options[CURLOPT_INFILESIZE] = filesize($file);
} else {
    $options += [CURLOPT_POST => true, CURLOPT_POSTFIELDS => file_get_contents($file)];
}
curl_setopt_array($curl, $options);
$answer = curl_exec($curl);
echo curl_getinfo($curl, CURLINFO_RESPONSE_CODE), ' ', $answer === false ? curl_error($curl) : $answer;
