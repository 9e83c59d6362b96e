/*
 * A text as it is compared, as before. A text that is composed in pieces is not cut between a letter and what
 * joins it, which are the characters behind a piece's first 25: combining marks, and the vowels and final
 * consonants of Hangul. Before, a decomposed letter at such a place remained two characters.
 */
CREATE OR REPLACE FUNCTION plain_text(written text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  IF octet_length(written) = length(written) THEN RETURN written; END IF;
  -- First, because it may be between a letter and its accent.
  written := regexp_replace(written,
    '[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f'
    '\ufe00-\ufe0f\ufeff\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+',
    '', 'g');
  IF written ~ '[^\x01-\x7f]{25}' THEN
    written := (SELECT string_agg(normalize(piece[1], NFC), '' ORDER BY place)
      FROM regexp_matches(written, '.{1,25}'
      '[\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0711'
      '\u0730-\u074a\u07eb-\u07f3\u07fd\u0816-\u082d\u0859-\u085b\u0897-\u089f\u08ca-\u08ff\u093c'
      '\u094d-\u0954\u09bc-\u09be\u09cd\u09d7\u09fe\u0a3c\u0a4d\u0abc\u0acd\u0b3c-\u0b3e\u0b4d-\u0b57'
      '\u0bbe\u0bcd\u0bd7\u0c3c\u0c4d-\u0c56\u0cbc-\u0cc2\u0ccd-\u0cd6\u0d3b-\u0d3e\u0d4d\u0d57'
      '\u0dca-\u0dcf\u0ddf\u0e38-\u0e3a\u0e48-\u0e4b\u0eb8-\u0eba\u0ec8-\u0ece\u0f18-\u0f19\u0f35-\u0f39'
      '\u0f71-\u0f87\u0fc6\u102e-\u103a\u108d\u1161-\u1175\u11a8-\u11c2\u135d-\u135f\u1714-\u1715\u1734'
      '\u17d2\u17dd\u18a9\u1939-\u193b\u1a17-\u1a18\u1a60\u1a75-\u1a7f\u1ab0-\u1aeb\u1b34-\u1b35\u1b44'
      '\u1b6b-\u1b73\u1baa-\u1bab\u1be6\u1bf2-\u1bf3\u1c37\u1cd0-\u1cf9\u1dc0-\u1dff\u20d0-\u20f0'
      '\u2cef-\u2cf1\u2d7f\u2de0-\u2dff\u302a-\u302f\u3099-\u309a\ua66f-\ua67d\ua69e-\ua69f\ua6f0-\ua6f1'
      '\ua806\ua82c\ua8c4\ua8e0-\ua8f1\ua92b-\ua92d\ua953\ua9b3\ua9c0\uaab0-\uaac1\uaaf6\uabed\ufb1e'
      '\ufe20-\ufe2f\U000101fd\U000102e0\U00010376-\U0001037a\U00010a0d-\U00010a0f\U00010a38-\U00010a3f'
      '\U00010ae5-\U00010ae6\U00010d24-\U00010d27\U00010d69-\U00010d6d\U00010eab-\U00010eac'
      '\U00010efa-\U00010eff\U00010f46-\U00010f50\U00010f82-\U00010f85\U00011046\U00011070\U0001107f'
      '\U000110b9-\U000110ba\U00011100-\U00011102\U00011127\U00011133-\U00011134\U00011173\U000111c0'
      '\U000111ca\U00011235-\U00011236\U00011241\U000112e9-\U000112ea\U0001133b-\U0001133e\U0001134d'
      '\U00011357\U00011366-\U00011374\U000113b8-\U000113d2\U000113e1-\U000113e2\U00011442-\U00011446'
      '\U0001145e\U000114b0\U000114ba-\U000114c3\U000115af\U000115bf-\U000115c0\U0001163f'
      '\U000116b6-\U000116b7\U0001172b\U00011839-\U0001183a\U00011930\U0001193d-\U00011943\U000119e0'
      '\U00011a34\U00011a47\U00011a99\U00011b60-\U00011b66\U00011c3f\U00011d42-\U00011d45\U00011d97'
      '\U00011f00-\U00011f01\U00011f36-\U00011f42\U00011f5a\U00013440-\U00013455\U0001611e-\U0001612f'
      '\U00016af0-\U00016af4\U00016b30-\U00016b36\U00016d67\U00016ff0-\U00016ff1\U0001bc9e'
      '\U0001d165-\U0001d18b\U0001d1aa-\U0001d1ad\U0001d242-\U0001d244\U0001e000-\U0001e02a\U0001e08f'
      '\U0001e130-\U0001e136\U0001e2ae\U0001e2ec-\U0001e2ef\U0001e4ec-\U0001e4ef\U0001e5ee-\U0001e5ef'
      '\U0001e6e3-\U0001e6f5\U0001e8d0-\U0001e8d6\U0001e944-\U0001e94a]{0,25}',
      'g') WITH ORDINALITY AS pieces (piece, place));
  ELSIF written IS NOT NFC NORMALIZED THEN
    written := normalize(written, NFC);
  END IF;
  -- Most texts have none of these, and translate() takes three times as long as all else.
  IF written !~ '[\u00a0\u02bc\u2007\u2010\u2011\u2018-\u201e\u202f\u3164\uffa0]' THEN RETURN written; END IF;
  RETURN translate(written,
    U&'\2018\2019\02BC\201C\201D\201E\2010\2011\00A0\2007\202F\3164\FFA0', '''''''"""--     ');
END $$;--> statement-breakpoint
/*
 * A text in which a hyphen before a digit joins two words. With an underscore, a query for `K-1207` still
 * finds the two side by side only. PostgreSQL takes quadratic time for a long run of joined words (50,000
 * characters: 46 s), so long runs are cut.
 */
CREATE FUNCTION joined_words(written text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN regexp_replace(
    regexp_replace(written, '(\w)-+(?=\d)', '\1_', 'g'), '([\w.@~-]{100})(?=\w)', '\1 ', 'g');
--> statement-breakpoint
/*
 * A text for PostgreSQL's parsers, of which that of queries splits other places than that of texts: both take
 * the colon and the slashes of an address, a path or a host's port for blanks. A plus before a digit is a
 * blank, as in `+420`, and so are a hyphen and an underscore at the end of a word, which the parser takes for
 * a part of a host's name. So are `<`, `>` and `&`: in a text that is no HTML, the parser would take
 * `<https://domain.com>` for a tag and `R&D;` for an entity, which have no words.
 */
CREATE OR REPLACE FUNCTION parsed_text(written text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN joined_words(
    regexp_replace(without_symbols(plain_text(translate(written, '<>&', '   '))),
      '/+|[:+](?=\d)|(?<=\w)[-_]+(?![-_\w])', ' ', 'g'));
--> statement-breakpoint
/*
 * HTML with its character references as they are shown: letters, apostrophes and what joins words are
 * themselves, invisible characters are left out, and all others are blanks. So nothing becomes a tag. The
 * numbers from 128 to 159 mean what they mean in Windows-1252.
 */
CREATE FUNCTION without_references(html text) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  IF html !~ '&[#A-Za-z]' THEN RETURN html; END IF;
  RETURN (
    SELECT string_agg(coalesce(
      piece[1],
      '{"131":"ƒ","138":"Š","140":"Œ","142":"Ž","145":"''","146":"''","154":"š","156":"œ","158":"ž",'
        '"159":"Ÿ","AElig":"Æ","Aacute":"Á","Abreve":"Ă","Acirc":"Â","Acy":"А","Agrave":"À","Alpha":"Α",'
        '"Amacr":"Ā","Aogon":"Ą","Aring":"Å","Atilde":"Ã","Auml":"Ä","Bcy":"Б","Beta":"Β","CHcy":"Ч",'
        '"Cacute":"Ć","Ccaron":"Č","Ccedil":"Ç","Ccirc":"Ĉ","Cdot":"Ċ","Chi":"Χ","CloseCurlyQuote":"''",'
        '"DJcy":"Ђ","DScy":"Ѕ","DZcy":"Џ","Dcaron":"Ď","Dcy":"Д","Delta":"Δ","Dstrok":"Đ","ENG":"Ŋ",'
        '"ETH":"Ð","Eacute":"É","Ecaron":"Ě","Ecirc":"Ê","Ecy":"Э","Edot":"Ė","Egrave":"È","Emacr":"Ē",'
        '"Eogon":"Ę","Epsilon":"Ε","Eta":"Η","Euml":"Ë","Fcy":"Ф","GJcy":"Ѓ","Gamma":"Γ","Gammad":"Ϝ",'
        '"Gbreve":"Ğ","Gcedil":"Ģ","Gcirc":"Ĝ","Gcy":"Г","Gdot":"Ġ","HARDcy":"Ъ","Hcirc":"Ĥ","Hstrok":"Ħ",'
        '"IEcy":"Е","IJlig":"Ĳ","IOcy":"Ё","Iacute":"Í","Icirc":"Î","Icy":"И","Idot":"İ","Igrave":"Ì",'
        '"Imacr":"Ī","Iogon":"Į","Iota":"Ι","Itilde":"Ĩ","Iukcy":"І","Iuml":"Ï","Jcirc":"Ĵ","Jcy":"Й",'
        '"Jsercy":"Ј","Jukcy":"Є","KHcy":"Х","KJcy":"Ќ","Kappa":"Κ","Kcedil":"Ķ","Kcy":"К","LJcy":"Љ",'
        '"Lacute":"Ĺ","Lambda":"Λ","Lcaron":"Ľ","Lcedil":"Ļ","Lcy":"Л","Lmidot":"Ŀ","Lstrok":"Ł","Mcy":"М",'
        '"Mu":"Μ","NJcy":"Њ","Nacute":"Ń","Ncaron":"Ň","Ncedil":"Ņ","Ncy":"Н","NoBreak":"","Ntilde":"Ñ",'
        '"Nu":"Ν","OElig":"Œ","Oacute":"Ó","Ocirc":"Ô","Ocy":"О","Odblac":"Ő","Ograve":"Ò","Omacr":"Ō",'
        '"Omega":"Ω","Omicron":"Ο","OpenCurlyQuote":"''","Oslash":"Ø","Otilde":"Õ","Ouml":"Ö","Pcy":"П",'
        '"Phi":"Φ","Pi":"Π","Psi":"Ψ","Racute":"Ŕ","Rcaron":"Ř","Rcedil":"Ŗ","Rcy":"Р","Rho":"Ρ",'
        '"SHCHcy":"Щ","SHcy":"Ш","SOFTcy":"Ь","Sacute":"Ś","Scaron":"Š","Scedil":"Ş","Scirc":"Ŝ","Scy":"С",'
        '"Sigma":"Σ","THORN":"Þ","TSHcy":"Ћ","TScy":"Ц","Tau":"Τ","Tcaron":"Ť","Tcedil":"Ţ","Tcy":"Т",'
        '"Theta":"Θ","Tstrok":"Ŧ","Uacute":"Ú","Ubrcy":"Ў","Ubreve":"Ŭ","Ucirc":"Û","Ucy":"У","Udblac":"Ű",'
        '"Ugrave":"Ù","Umacr":"Ū","Uogon":"Ų","Upsi":"ϒ","Upsilon":"Υ","Uring":"Ů","Utilde":"Ũ","Uuml":"Ü",'
        '"Vcy":"В","Wcirc":"Ŵ","Xi":"Ξ","YAcy":"Я","YIcy":"Ї","YUcy":"Ю","Yacute":"Ý","Ycirc":"Ŷ",'
        '"Ycy":"Ы","Yuml":"Ÿ","ZHcy":"Ж","Zacute":"Ź","Zcaron":"Ž","Zcy":"З","Zdot":"Ż",'
        '"ZeroWidthSpace":"","Zeta":"Ζ","aacute":"á","abreve":"ă","acirc":"â","acy":"а","aelig":"æ",'
        '"agrave":"à","alpha":"α","amacr":"ā","angst":"Å","aogon":"ą","apos":"''","aring":"å","atilde":"ã",'
        '"auml":"ä","bcy":"б","beta":"β","cacute":"ć","ccaron":"č","ccedil":"ç","ccirc":"ĉ","cdot":"ċ",'
        '"chcy":"ч","chi":"χ","commat":"@","dash":"-","dcaron":"ď","dcy":"д","delta":"δ","digamma":"ϝ",'
        '"djcy":"ђ","dscy":"ѕ","dstrok":"đ","dzcy":"џ","eacute":"é","ecaron":"ě","ecirc":"ê","ecy":"э",'
        '"edot":"ė","egrave":"è","emacr":"ē","eng":"ŋ","eogon":"ę","epsi":"ε","epsilon":"ε","epsiv":"ϵ",'
        '"eta":"η","eth":"ð","euml":"ë","fcy":"ф","fnof":"ƒ","gacute":"ǵ","gamma":"γ","gammad":"ϝ",'
        '"gbreve":"ğ","gcirc":"ĝ","gcy":"г","gdot":"ġ","gjcy":"ѓ","hardcy":"ъ","hcirc":"ĥ","hstrok":"ħ",'
        '"hyphen":"-","iacute":"í","icirc":"î","icy":"и","iecy":"е","igrave":"ì","ijlig":"ĳ","imacr":"ī",'
        '"imath":"ı","imped":"Ƶ","inodot":"ı","iocy":"ё","iogon":"į","iota":"ι","itilde":"ĩ","iukcy":"і",'
        '"iuml":"ï","jcirc":"ĵ","jcy":"й","jmath":"ȷ","jsercy":"ј","jukcy":"є","kappa":"κ","kappav":"ϰ",'
        '"kcedil":"ķ","kcy":"к","kgreen":"ĸ","khcy":"х","kjcy":"ќ","lacute":"ĺ","lambda":"λ","lcaron":"ľ",'
        '"lcedil":"ļ","lcy":"л","ljcy":"љ","lmidot":"ŀ","lowbar":"_","lrm":"","lsquo":"''","lsquor":"''",'
        '"lstrok":"ł","mcy":"м","micro":"µ","mu":"μ","nacute":"ń","napos":"ŉ","ncaron":"ň","ncedil":"ņ",'
        '"ncy":"н","njcy":"њ","ntilde":"ñ","nu":"ν","oacute":"ó","ocirc":"ô","ocy":"о","odblac":"ő",'
        '"oelig":"œ","ograve":"ò","ohm":"Ω","omacr":"ō","omega":"ω","omicron":"ο","ordf":"ª","ordm":"º",'
        '"oslash":"ø","otilde":"õ","ouml":"ö","pcy":"п","period":".","phi":"φ","phiv":"ϕ","pi":"π",'
        '"piv":"ϖ","psi":"ψ","racute":"ŕ","rcaron":"ř","rcedil":"ŗ","rcy":"р","rho":"ρ","rhov":"ϱ",'
        '"rlm":"","rsquo":"''","rsquor":"''","sacute":"ś","scaron":"š","scedil":"ş","scirc":"ŝ","scy":"с",'
        '"shchcy":"щ","shcy":"ш","shy":"","sigma":"σ","sigmaf":"ς","sigmav":"ς","softcy":"ь",'
        '"straightepsilon":"ϵ","straightphi":"ϕ","szlig":"ß","tau":"τ","tcaron":"ť","tcedil":"ţ","tcy":"т",'
        '"theta":"θ","thetasym":"ϑ","thetav":"ϑ","thorn":"þ","tscy":"ц","tshcy":"ћ","tstrok":"ŧ",'
        '"uacute":"ú","ubrcy":"ў","ubreve":"ŭ","ucirc":"û","ucy":"у","udblac":"ű","ugrave":"ù","umacr":"ū",'
        '"uogon":"ų","upsi":"υ","upsih":"ϒ","upsilon":"υ","uring":"ů","utilde":"ũ","uuml":"ü",'
        '"varepsilon":"ϵ","varkappa":"ϰ","varphi":"ϕ","varpi":"ϖ","varrho":"ϱ","varsigma":"ς",'
        '"vartheta":"ϑ","vcy":"в","wcirc":"ŵ","xi":"ξ","yacute":"ý","yacy":"я","ycirc":"ŷ","ycy":"ы",'
        '"yicy":"ї","yucy":"ю","yuml":"ÿ","zacute":"ź","zcaron":"ž","zcy":"з","zdot":"ż","zeta":"ζ",'
        '"zhcy":"ж","zwj":"","zwnj":""}'::jsonb ->> coalesce(piece[2], code::text),
      CASE WHEN code >= 160 AND code <= 1114111 AND code NOT BETWEEN 55296 AND 57343 THEN chr(code)
        WHEN code BETWEEN 33 AND 126 THEN translate(chr(code), '<>&', '   ') END,
      ' '), '' ORDER BY place)
    FROM regexp_matches(html,
      '([^&]+)|&(?:([A-Za-z][A-Za-z0-9]{1,30});|#(\d{1,7});|#[xX]([0-9A-Fa-f]{1,6});)?', 'g')
      WITH ORDINALITY AS pieces (piece, place)
    CROSS JOIN LATERAL (
      SELECT coalesce(piece[3]::int, ('x' || lpad(piece[4], 8, '0'))::bit(32)::int) AS code) c);
END $$;--> statement-breakpoint
-- PostgreSQL takes quadratic time for comments without an end. These are the ones behind the last end.
CREATE FUNCTION without_open_comments(html text) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  behind integer;
BEGIN
  IF strpos(html, '<!--') = 0 THEN RETURN html; END IF;
  behind := strpos(reverse(html), '>--') - 1;
  IF behind < 0 THEN RETURN replace(html, '<!--', ' '); END IF;
  RETURN left(html, length(html) - behind) || replace(right(html, behind), '<!--', ' ');
END $$;--> statement-breakpoint
/*
 * HTML for PostgreSQL's parser, which leaves out tags, comments, styles and scripts. The slash of `</p>` and
 * the hyphens of `-->` stay.
 */
CREATE FUNCTION parsed_html(html text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN joined_words(
    regexp_replace(without_symbols(plain_text(without_references(without_open_comments(html)))),
      '(^|[^<])/+|[:+](?=\d)|(?<=\w)[-_]+(?![-_\w>])', '\1 ', 'g'));
--> statement-breakpoint
-- The words of a text's beginning. A hyphen that is left before a digit is its sign, a bullet or an option's.
CREATE FUNCTION body_words(body text, format text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN to_tsvector('simple'::regconfig, regexp_replace(
    CASE format WHEN 'HTML' THEN parsed_html(left(body, 50000)) ELSE parsed_text(left(body, 50000)) END,
    '(?<![-!])-+(?=\d)', ' ', 'g'));
--> statement-breakpoint
CREATE OR REPLACE FUNCTION text_words(written text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN body_words(written, 'TEXT');
--> statement-breakpoint
/*
 * A dash excludes the word that it stands directly before. PostgreSQL would exclude `jam` of `printer - jam`,
 * and fails at 32 dashes in a row. Within quotes and behind another character, a hyphen before a digit is
 * a blank, as in a text. So are dots alone, as in `../logs`, which would be a word.
 */
CREATE OR REPLACE FUNCTION text_query(written text) RETURNS tsquery LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN websearch_to_tsquery('simple'::regconfig, regexp_replace(
    (SELECT string_agg(
        regexp_replace(part, CASE n % 2 WHEN 0 THEN '-+(?=\d)' ELSE '(?<=\S)-+(?=\d)' END, ' ', 'g'),
        '"' ORDER BY n)
      FROM string_to_table(parsed_text(written), '"') WITH ORDINALITY AS parts (part, n)),
    '-{2,}|-(?=[\s()!&|:;,.?*<>#''\[\]{}]|$)|(?<!\S)\.+(?!\S)', ' ', 'g'));
--> statement-breakpoint
CREATE FUNCTION message_words(body text, format text, id integer) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN body_words(body, format) || array_to_tsvector(ARRAY['#' || (id >> 14)]);
--> statement-breakpoint
/*
 * The functions that write and read words, as before, with the format of each message. Bodies that are large
 * together are written in several steps, and a search reads at most 2 MB of those that lack their words: a
 * body of 50,000 characters takes some 50 ms.
 */
CREATE OR REPLACE FUNCTION note_message_search() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    DELETE FROM public.message_search WHERE message_id = OLD.id;
  ELSE
    INSERT INTO public.message_search VALUES (NEW.id, public.message_words(NEW.body, NEW.format, NEW.id))
      ON CONFLICT (message_id) DO UPDATE SET words = excluded.words;
  END IF;
  RETURN NULL;
END $$;--> statement-breakpoint
CREATE OR REPLACE FUNCTION note_message_words(ids integer[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
  INSERT INTO public.message_search
    SELECT m.id, public.message_words(m.body, m.format, m.id) FROM public.messages m
    WHERE public.sees_everything() AND m.id = ANY (ids) ORDER BY m.id
    ON CONFLICT DO NOTHING;
$$;--> statement-breakpoint
CREATE OR REPLACE FUNCTION fill_message_search(most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  progress public.search_progress;
  drawn integer := (SELECT last_value FROM public.messages_id_seq);
  horizon bigint := public.event_horizon();
  ahead bigint := public.xact_offset() + pg_snapshot_xmax(pg_current_snapshot())::text::bigint;
  lacked integer;
BEGIN
  IF NOT public.sees_everything() THEN RETURN 0; END IF;
  SELECT * INTO progress FROM public.search_progress;
  IF progress.covered >= greatest(drawn, (SELECT max(id) FROM public.messages)) THEN RETURN 0; END IF;
  SELECT * INTO progress FROM public.search_progress FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN RETURN 0; END IF;
  WITH lacking AS (
    SELECT m.id, m.body, m.format,
      sum(least(octet_length(m.body), 50000)) OVER (ORDER BY m.id) - least(octet_length(m.body), 50000)
        AS before
    FROM public.messages m
    WHERE m.id > progress.covered
      AND NOT EXISTS (SELECT FROM public.message_search s WHERE s.message_id = m.id)
    ORDER BY m.id LIMIT most
  ), filled AS (
    INSERT INTO public.message_search SELECT id, public.message_words(body, format, id) FROM lacking
    WHERE before < 500000 ON CONFLICT DO NOTHING
  )
  SELECT CASE WHEN max(before) >= 500000 THEN most ELSE count(*) END INTO lacked FROM lacking;
  IF lacked < most AND (progress.fence <= horizon OR progress.fence > ahead) THEN
    UPDATE public.search_progress SET covered = progress.candidate, candidate = drawn, fence = ahead;
  END IF;
  RETURN lacked;
END $$;--> statement-breakpoint
CREATE OR REPLACE FUNCTION find_message_ids(query tsquery, before integer, most integer) RETURNS SETOF integer
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  newest integer := least((before - 1) >> 14, (SELECT max(message_id) >> 14 FROM public.message_search));
  parts integer := 1;
  uncovered integer[];
  by_words integer[] := '{}';
BEGIN
  IF NOT public.sees_everything() OR numnode(query) = 0 THEN RETURN; END IF;
  uncovered := array(
    SELECT s.id FROM (
      SELECT l.id, l.body, l.format,
        sum(l.size) OVER (ORDER BY l.id DESC) - l.size AS newer
      FROM (
        SELECT m.id, m.body, m.format, least(octet_length(m.body), 50000) AS size FROM public.messages m
        WHERE m.id > (SELECT covered FROM public.search_progress) AND m.id < before
        ORDER BY m.id DESC LIMIT 1000
      ) l WHERE NOT EXISTS (SELECT FROM public.message_search w WHERE w.message_id = l.id) OFFSET 0
    ) s WHERE s.newer < 2000000 AND public.message_words(s.body, s.format, s.id) @@ query);
  WHILE newest >= 0 AND cardinality(by_words) < most LOOP
    by_words := by_words || array(
      SELECT s.message_id FROM (
        SELECT w.message_id FROM public.message_search w
        WHERE w.words @@ (query && public.parts_query(newest, parts)) OFFSET 0
      ) s WHERE s.message_id < before ORDER BY s.message_id DESC LIMIT most);
    newest := newest - parts;
    parts := least(2 * parts, 16);
  END LOOP;
  RETURN QUERY SELECT DISTINCT f.id FROM unnest(uncovered || by_words) f (id) ORDER BY f.id DESC LIMIT most;
END $$;--> statement-breakpoint
CREATE OR REPLACE FUNCTION renew_search_words(most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  progress public.search_progress;
  ids integer[];
  changed integer[];
BEGIN
  IF NOT public.sees_everything() THEN RETURN 0; END IF;
  SELECT * INTO progress FROM public.search_progress;
  IF progress.outdated_tickets = 0 AND progress.outdated_messages = 0 THEN RETURN 0; END IF;
  SELECT * INTO progress FROM public.search_progress FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN RETURN NULL; END IF;
  IF progress.outdated_tickets > 0 THEN
    ids := array(
      SELECT id FROM public.tickets WHERE id <= progress.outdated_tickets ORDER BY id DESC LIMIT most);
    changed := array(
      SELECT s.ticket_id FROM public.ticket_search s JOIN public.tickets t ON t.id = s.ticket_id
      WHERE s.ticket_id = ANY (ids) AND (s.reference_key, s.words)
        <> (lower(public.plain_text(t.reference)), public.ticket_words(t.subject, t.id)));
    PERFORM FROM public.ticket_search WHERE ticket_id = ANY (changed) ORDER BY ticket_id FOR UPDATE;
    UPDATE public.ticket_search s
      SET reference_key = lower(public.plain_text(t.reference)), words = public.ticket_words(t.subject, t.id)
      FROM public.tickets t WHERE t.id = s.ticket_id AND s.ticket_id = ANY (changed);
    UPDATE public.search_progress SET outdated_tickets = coalesce(ids[most] - 1, 0);
  ELSE
    -- Of large bodies fewer: half a million characters take some 200 ms.
    ids := array(
      SELECT id FROM (
        SELECT id, sum(size) OVER (ORDER BY id DESC) - size AS before FROM (
          SELECT id, least(octet_length(body), 50000) AS size FROM public.messages
          WHERE id <= progress.outdated_messages ORDER BY id DESC LIMIT most
        ) m
      ) m WHERE before < 500000 ORDER BY id DESC);
    changed := array(
      SELECT s.message_id FROM public.message_search s JOIN public.messages m ON m.id = s.message_id
      WHERE s.message_id = ANY (ids) AND s.words <> public.message_words(m.body, m.format, m.id));
    PERFORM FROM public.message_search WHERE message_id = ANY (changed) ORDER BY message_id FOR UPDATE;
    UPDATE public.message_search s SET words = public.message_words(m.body, m.format, m.id)
      FROM public.messages m WHERE m.id = s.message_id AND s.message_id = ANY (changed);
    UPDATE public.search_progress SET outdated_messages = coalesce(ids[cardinality(ids)] - 1, 0);
  END IF;
  RETURN greatest(cardinality(ids), 1);
END $$;--> statement-breakpoint
DROP FUNCTION message_words(text, integer);--> statement-breakpoint
-- Waits for every `fill_message_search` that is under way, so that its words are counted.
LOCK TABLE search_progress IN ACCESS EXCLUSIVE MODE;--> statement-breakpoint
UPDATE search_progress SET
  outdated_tickets = (SELECT coalesce(max(ticket_id), 0) FROM ticket_search),
  outdated_messages = (SELECT coalesce(max(message_id), 0) FROM message_search);
