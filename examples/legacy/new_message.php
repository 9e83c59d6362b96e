<?php
// php new_message.php URL LOGIN PASSWORD TICKET TEXT [FILE]: adds a message by the old endpoint.
if ($argc < 6) {
    exit("php new_message.php URL LOGIN PASSWORD TICKET TEXT [FILE]\n");
}
[, $url, $login, $password, $ticket, $text] = $argv;
$attachments = array_map(fn ($file) => [
    'FileName' => basename($file),
    'ContentType' => 'application/octet-stream',
    'Data' => base64_encode(file_get_contents($file)),
], array_slice($argv, 6));
$curl = curl_init(rtrim($url, '/') . '/api/Tickets/NewMessage');
curl_setopt_array($curl, [
    CURLOPT_USERPWD => "$login:$password",
    CURLOPT_RETURNTRANSFER => true,
    CURLOPT_TIMEOUT => 30,
    CURLOPT_POSTFIELDS => json_encode([
        'TicketREF' => $ticket,
        'Message' => $text,
        'Attachments' => $attachments,
    ]),
    // New: the same key again adds nothing, so that a call may be repeated.
    CURLOPT_HTTPHEADER => ['Content-Type: application/json', 'Idempotency-Key: ' . bin2hex(random_bytes(16))],
]);
$answer = json_decode(curl_exec($curl));
if (!isset($answer->TicketMessageId)) {
    $reason = $answer->Message ?? curl_error($curl);
    fwrite(STDERR, curl_getinfo($curl, CURLINFO_RESPONSE_CODE) . " $reason\n");
    exit(1);
}
echo $answer->TicketMessageId, "\n";
