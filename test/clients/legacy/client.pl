#!/usr/bin/perl
# perl client.pl URL MODE FILE TYPE: sends FILE, prints the status and the answer.
use strict;
use warnings;
use HTTP::Request;
use LWP::UserAgent;
my ($url, $mode, $file, $type) = @ARGV;
my $agent = LWP::UserAgent->new;
my $request = HTTP::Request->new(POST => $url, ['Content-Type' => $type]);
open my $in, '<:raw', $file or die $!;
if ($mode eq 'big') {
    # A sub as content is sent in chunks.
    $request->content(sub { read $in, my $piece, 65536; $piece });
} else {
    local $/;
    $request->content(<$in>);
}
$request->header(Expect => '100-continue') if $mode eq 'expect';
if ($mode eq 'challenge' || $mode eq 'expect') {
    my ($place) = $url =~ m{//([^/]+)};
    $agent->credentials($place, 'Requestor', 'operator', 'operator');
} else {
    $request->authorization_basic('operator', 'operator');
}
my $answer = $agent->request($request);
print $answer->code, ' ', $answer->content;
