/**
 * Bodies like those in public bug reports of sanitizers, converters, mail programs and other help desks,
 * written anew after each report, with the text that each must give.
 */
export const reported: readonly (readonly [report: string, html: string, text: string])[] = [
  ['zammad 5577: 318 nested blocks', `${'<div>'.repeat(318)}x${'</div>'.repeat(318)}`, 'x'],
  [
    'zammad 930: bullets in a table',
    '<table><tbody><tr><td>•</td><td>Do it</td></tr><tr><td>•</td><td>Regions</td></tr></tbody></table>',
    '•\tDo it\n•\tRegions',
  ],
  [
    'zammad 4705: blanks between cells of a signature',
    '<td><span>Jane<span>&nbsp;</span>Doe</span> <span><p style="margin:0">&nbsp;</p></span></td>',
    'Jane Doe',
  ],
  [
    'zammad 4829: a table of full height',
    '<table style="height:100%" height="100%"><tr><td>x</td></tr></table>',
    'x',
  ],
  [
    'zammad 3571: a warning box in a paragraph',
    '<p><div style="background-color:#FFEB9C;border:1pt solid #9C6500"><span style="color:#9C6500"; ' +
      'font-weight:bold;>CAUTION:</span> outside</div><br></p>',
    'CAUTION: outside',
  ],
  [
    'zammad 2643: angle brackets around an address',
    'f4:f2 &lt;a@x.example&gt; <a href="mailto:a@x.example">a@x.example</a>',
    'f4:f2 <a@x.example> a@x.example',
  ],
  [
    'zammad 4874: squashed lines',
    '<div style="line-height:0;font-size:14px">first<br>second</div>',
    'first\nsecond',
  ],
  [
    'odoo 140425: empty paragraphs of Outlook',
    '<p class=MsoNormal style="margin:0">A<o:p></o:p></p><p class=MsoNormal ' +
      'style="margin:0"><o:p>&nbsp;</o:p></p><p class=MsoNormal style="margin:0">B</p>',
    'A\n\nB',
  ],
  [
    'osTicket 6538: an XML declaration and a head that closes itself',
    '<?xml version="1.0" encoding="UTF-8"?><head /><p>x</p>',
    'x',
  ],
  [
    'MimeKit 545: comments within comments',
    '<!--[if mso]><!-- x --><![endif]--><p>x</p><!--[if !mso]><!--><p>y</p><!--<![endif]-->',
    'x\n\ny',
  ],
  [
    'exchangelib 549: header cells',
    '<table><tr><th>foo</th><th>bar</th></tr><tr><td>a</td><td>b</td></tr></table>',
    'foo\tbar\na\tb',
  ],
  [
    'frappe 42463: an address in angle brackets',
    'write to &lt;user@x.example&gt;',
    'write to <user@x.example>',
  ],
  [
    'mjml 702: a message between conditions',
    '<!--[if mso | IE]><table><tr><td><![endif]--><div>x</div><!--[if mso | ' +
      'IE]></td></tr></table><![endif]-->',
    'x',
  ],
  [
    'rust-html2text 155: tables in tables',
    '<table style="max-width:600px"><tr><td><table><tr><td><table><tr><td ' +
      'style="color:#131a26">x</td></tr></table></td></tr></table></td></tr></table>',
    'x',
  ],
  [
    'html-to-text 209: a table in a paragraph, quotes after tags',
    `<p>Striping:<br/><table class="p"><tr><td class="v"'>4</td><td class="l"'>ADA ` +
      'Bay</td></tr><tr><td>5</td><td>Bay</td></tr></table>',
    'Striping:\n\n4\tADA Bay\n5\tBay',
  ],
  [
    'nodemailer-html-to-text 2: rows',
    '<table><tr><td>some text</td></tr><tr><td>More</td></tr></table>',
    'some text\nMore',
  ],
  ['htmltoword 40: mixed lists', '<ul><li>a<ol><li>b</li></ol></li></ul>', ' * a\n    1. b'],
  [
    'mailparser 367: numbering goes on',
    '<ol><li>a</li></ol><p>x</p><ol start=2><li>b</li></ol>',
    ' 1. a\n\nx\n\n 2. b',
  ],
  [
    'nylas 16: rows of nothing',
    '<table><tr><td>&nbsp;</td></tr><tr><td></td></tr><tr><td>a</td></tr><tr><td> </td></tr></table>',
    'a',
  ],
  ['Squire 246: Outlook in italics', '<p class="MsoNormal"><i>slanted <o:p></o:p></i></p>', 'slanted'],
  [
    'clipboard2markdown 10: words in spans',
    'the<span> quick</span><span lang=EN-US> </span><b>brown</b>',
    'the quick brown',
  ],
  ['sanitize-html-rs 5: a comment in a style', '<style><!-- p{} --></style>hello', 'hello'],
  ['ProseMirror 137: after the end', '<html><body><p>x</p></body></html>\ny', 'x\n\ny'],
  [
    'zotonic 1464: marks of a fragment',
    '<!--StartFragment--><p class="MsoNormal"><span style="mso-ansi-language: ' +
      'EN-US;">x</span></p><!--EndFragment-->',
    'x',
  ],
  [
    'DOMPurify 355: letters of fonts',
    '<style>@font-face{font-family:"Cambria Math";panose-1:2 4 5 3}</style>Hello',
    'Hello',
  ],
  [
    'DOMPurify 369: markup in an attribute',
    `<span data-modal='{"m":"<strong>foo</strong> bar"}'>x</span>`,
    'x',
  ],
  ['DOMPurify 302: marquee', '<img><marquee><h1>A</h1></marquee> <marquee><h1>B</h1></marquee>', 'A\n\nB'],
  [
    'roundcube 9948: semicolons and comments in a style',
    '<div style="width:70px;;;\n ;background-color:#C83232; color:#ffffff; ;display:inline-block; /* x ' +
      '*/">CRIT</div>',
    'CRIT',
  ],
  ['roundcube 7209: a style in the body', '<body><style>p{color:red}</style><p>x</p></body>', 'x'],
  [
    'roundcube 5580: pictures in a sheet',
    '<style>.a{background:url(data:image/png;base64,iVBORw0KGgo=)}</style><p class=a>x</p>',
    'x',
  ],
  ['chatwoot 1950: flowed lines', '<pre>a \nb</pre>', 'a\nb'],
  ['wrapped link', '<a href="https://x.example/\n a\n b">x</a>', 'x <https://x.example/%20a%20b>'],
  [
    'link around a table',
    '<a href="https://x.example"><table><tr><td>x</td></tr></table></a>',
    'x\n<https://x.example>',
  ],
  [
    'a link in a link',
    '<a href="https://a.example">a<a href="https://b.example">b</a></a>',
    'a <https://a.example>b <https://b.example>',
  ],
  ['base and relative', '<base href="https://x.example/"><a href="/a">x</a>', 'x </a>'],
  [
    'safe links',
    '<a originalsrc="https://x.example" ' +
      'href="https://eur01.safelinks.example/?url=https%3A%2F%2Fx.example&amp;data=1">https://x.example</a>',
    'https://x.example <https://eur01.safelinks.example/?url=https%3A%2F%2Fx.example&data=1>',
  ],
  [
    'a preheader padded with joiners',
    '<div style="display:none">PRE</div><div style="display:none">&#847; &zwnj; &nbsp; &#8199;&shy;</div>x',
    'x',
  ],
  ['UTF-16 left over', '\ufeff<p>x</p>', 'x'],
  ['entities without semicolons', 'R&ampD &copy 2026 &notit; &#128512; &#x1F600;', 'R&D © 2026 ¬it; 😀 😀'],
  ['numeric references of Windows', '&#146;&#150;&#128;', '’–€'],
  ['table without a table', '<tr><td>a</td><td>b</td></tr>', 'ab'],
  ['a cell left open', '<table><tr><td>a<tr><td>b</table>c', 'a\nb\n\nc'],
  ['a nested form', '<form><p>a<form><p>b</form>c', 'a\n\nb\n\nc'],
  ['unclosed tag at the end', 'x<b', 'x'],
  ['unclosed comment', 'x<!-- y', 'x'],
  ['upper case and no quotes', '<P ALIGN=CENTER><FONT COLOR=RED>x</FONT></P>', 'x'],
  [
    'Lotus Notes',
    '<font size=2 face="sans-serif">a</font><br><br><font size=2 face="sans-serif">b</font><br>',
    'a\n\nb',
  ],
  [
    'GroupWise',
    '<BODY style="MARGIN: 4px 4px 1px; FONT: 10pt ' +
      'Tahoma"><DIV>a</DIV>\n<DIV>&nbsp;</DIV>\n<DIV>b</DIV></BODY>',
    'a\n\nb',
  ],
  [
    'Yahoo',
    '<div class="ydpx"><div dir="ltr" data-setdir="false">a</div><div><br></div></div><div ' +
      'id="yahoo_quoted_1"><div>On x wrote:</div></div>',
    'a\n\nOn x wrote:',
  ],
  [
    'Thunderbird',
    '<div class="moz-cite-prefix">Am x schrieb y:<br></div><blockquote type="cite" cite="mid:x"><pre ' +
      'wrap="" class="moz-quote-pre">a\nb</pre></blockquote>',
    'Am x schrieb y:\n\n> a\n> b',
  ],
  [
    'Excel',
    '<table border=0 style="border-collapse:collapse"><col width=64 span=2><tr height=20><td height=20 ' +
      'align=right x:num>1</td><td class=xl65>=A1</td></tr></table>',
    '1\t=A1',
  ],
  [
    'OneNote',
    '<div style="direction:ltr"><ul style="margin-left:.375in"><li ' +
      'style="margin-top:0;vertical-align:middle"><span style="font-family:Calibri">a</span></li></ul></div>',
    ' * a',
  ],
  [
    'Google Docs',
    '<b style="font-weight:normal;" id="docs-internal-guid-1"><p dir="ltr" ' +
      'style="margin-top:0pt;margin-bottom:0pt;"><span style="white-space:pre-wrap;">a  b</span></p></b>',
    'a  b',
  ],
  [
    'Jira',
    '<p>a<br/>\nb</p>\n<p></p><div class="code panel"><pre class="code-java">x;\n y;</pre></div>',
    'a\nb\n\nx;\n y;',
  ],
];
