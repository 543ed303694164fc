"""Settings, all from the environment; docs/operations.md lists it. Defaults serve one machine."""

from datetime import timedelta
from pathlib import Path

from celery.schedules import crontab
from cryptography.fernet import Fernet
from csp.constants import NONE, SELF, UNSAFE_INLINE
from django.core.management.utils import get_random_secret_key

from crm_site import env
from crm_site.backoffice.theme import UNFOLD as THEME
from crm_site.devstack import embedded

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = embedded.data_dir()

DEBUG = env.boolean("DEBUG", default=False)
SECRET_KEY = env.kept_secret("SECRET_KEY", get_random_secret_key)
FIELD_ENCRYPTION_KEYS = [
    key.strip()
    for key in env.kept_secret(
        "FIELD_ENCRYPTION_KEYS", lambda: Fernet.generate_key().decode()
    ).split(",")
]
# Newest first. They make the hashes by which erased people are known again; none may be dropped.
ERASURE_KEYS = [
    key.strip()
    for key in env.kept_secret("ERASURE_KEYS", lambda: Fernet.generate_key().decode()).split(",")
]
# The copy of who was erased, by which a restored backup is put right. Not kept with the backups.
ERASURE_COPY_DIR = Path(env.text("ERASURE_COPY_DIR") or DATA_DIR / "erasures").absolute()
ALLOWED_HOSTS = env.items("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env.items("CSRF_TRUSTED_ORIGINS")
PORT = env.integer("PORT", 8000)
# How many proxies of our own stand in front and append to X-Forwarded-For.
TRUSTED_PROXY_COUNT = env.integer("TRUSTED_PROXY_COUNT", 0)

INSTALLED_APPS = [
    "crm_site.tenancy",  # First: its migrate command replaces Django's.
    "crm_site.audit",
    "crm_site.backoffice.apps.BackofficeConfig",
    "unfold.apps.BasicAppConfig",  # Before admin: its templates win.
    "unfold.contrib.filters",
    "unfold.contrib.guardian",
    "crm_site.backoffice.apps.BackofficeAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "crm_site.access",  # After auth, whose permissions its role groups are made of.
    "pgtrigger",
    "guardian",
    "axes",
    "csp",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "crm_site.api.apps.ApiConfig",
    "crm_site.files.apps.FilesConfig",
    "crm_site.jobs.apps.JobsConfig",
    "crm_site.devstack",
    "customers",
    "segments",
    "campaigns",
    "journeys",
    "social",
]

MIDDLEWARE = [
    "crm_site.metrics.MetricsMiddleware",
    "crm_site.api.middleware.UnavailableMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "crm_site.api.middleware.SlashMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "crm_site.audit.middleware.RequestOriginMiddleware",
    "crm_site.access.middleware.TenantMiddleware",
    "crm_site.backoffice.middleware.ClubTimeMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "crm_site.urls"
WSGI_APPLICATION = "crm_site.wsgi.application"
ASGI_APPLICATION = "crm_site.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# Two roles: the runtime one owns nothing and is held by row-level security; the owner migrates.
DATABASE_URL = env.text("DATABASE_URL") or embedded.database_url(DATA_DIR, embedded.RUNTIME)
DATABASE_OWNER_URL = env.text("DATABASE_OWNER_URL") or (
    "" if env.text("DATABASE_URL") else embedded.database_url(DATA_DIR, embedded.OWNER)
)
STATEMENT_TIMEOUT_SECONDS = env.integer("STATEMENT_TIMEOUT_SECONDS", 30)
DATABASES = {
    "default": {
        **env.postgres(
            DATABASE_URL,
            engine="crm_site.tenancy.postgres",
            options={"options": f"-c statement_timeout={STATEMENT_TIMEOUT_SECONDS}s"},
        ),
        "CONN_MAX_AGE": 300,
        "CONN_HEALTH_CHECKS": True,
    },
}
if DATABASE_OWNER_URL:
    DATABASES["owner"] = env.postgres(
        DATABASE_OWNER_URL, engine="django.db.backends.postgresql", options={}
    )
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.text("REDIS_URL") or embedded.redis_url(DATA_DIR)
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "fairway",
    }
}

AUTH_USER_MODEL = "access.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "crm_site.access.backends.MembershipBackend",
    "guardian.backends.ObjectPermissionBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "/admin/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/admin/login/"
ANONYMOUS_USER_NAME = None  # guardian: nobody has rights without signing in.
GUARDIAN_MONKEY_PATCH_USER = False
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "crm_site.audit.middleware.client_address"
AXES_LOCKOUT_CALLABLE = "crm_site.backoffice.views.locked_out"
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

# Behind TLS (HTTPS=true) cookies and redirects insist on it; on a laptop there is none.
HTTPS = env.boolean("HTTPS", default=False)
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 60 * 60
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        # Unfold sets theme colours in a style element and in attributes (decision 0006).
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "data:", "https:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
# The biggest file anybody may upload; kept in the database for its time.
UPLOAD_MAX_BYTES = env.integer("UPLOAD_MAX_BYTES", 200 * 1024 * 1024)
FILE_UPLOAD_HANDLERS = [
    "crm_site.files.uploads.BoundedUploadHandler",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
MEDIA_ROOT = DATA_DIR / "files"

METRICS_TOKEN = env.text("METRICS_TOKEN")  # Unset: /metrics answers this machine alone.
API_RATE_PER_MINUTE = env.integer("API_RATE_PER_MINUTE", 6000)
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "crm_site.access.authentication.ApiKeyAuthentication",
        "crm_site.access.authentication.TenantSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["crm_site.access.permissions.ScopeOrPermission"],
    "DEFAULT_THROTTLE_CLASSES": ["crm_site.api.throttling.CallerThrottle"],
    "DEFAULT_PARSER_CLASSES": ["crm_site.api.parsers.JsonParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "crm_site.api.pagination.KeysetPagination",
    "DEFAULT_FILTER_BACKENDS": ["crm_site.api.filters.TenantFilterBackend"],
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "crm_site.api.schema.ProblemSchema",
    "EXCEPTION_HANDLER": "crm_site.api.errors.handle",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "URL_FORMAT_OVERRIDE": None,
}

UNFOLD = THEME
SPECTACULAR_SETTINGS = {
    "ENUM_NAME_OVERRIDES": {
        # Choice sets that share a field's name, or one that has several.
        "ChannelEnum": "crm_site.messaging.channels.Channel",
        "CampaignTypeEnum": "campaigns.choices.CampaignType",
        "CampaignStatusEnum": "campaigns.choices.CampaignStatus",
        "InteractionTypeEnum": "campaigns.choices.CampaignInteractionType",
        "RunStatusEnum": "campaigns.choices.RunStatus",
        "NoteTypeEnum": "customers.choices.NoteType",
    },
    "TITLE": "Fairway",
    "DESCRIPTION": "The CRM and marketing back office for golf clubs. docs/api.md is its guide.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "DEFAULT_GENERATOR_CLASS": "crm_site.api.schema.ScopedGenerator",
    "SERVE_AUTHENTICATION": [],
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    # Enums stay where they are used: components named after fields called "type" would clash.
    "POSTPROCESSING_HOOKS": [
        "crm_site.api.schema.null_is_a_value",
        "crm_site.api.schema.add_problems",
    ],
}

# The Messaging service; the sandbox that `up` runs, where no address is given.
MESSAGING_BASE_URL = env.text("MESSAGING_BASE_URL") or f"http://127.0.0.1:{PORT + 1}"
MESSAGING_API_KEY = env.text("MESSAGING_API_KEY") or "sandbox"
MESSAGING_IS_SANDBOX = not env.text("MESSAGING_BASE_URL")
MESSAGING_TIMEOUT_SECONDS = env.integer("MESSAGING_TIMEOUT_SECONDS", 20)
MESSAGING_GATEWAY = "crm_site.messaging.http.HttpGateway"
# How long Messaging remembers a key at least; we repeat one for half of that and then only ask.
MESSAGING_KEY_HORIZON_SECONDS = env.integer("MESSAGING_KEY_HORIZON_SECONDS", 72 * 3600)
# How long a worker may keep claimed messages; longer than a call may take.
DELIVERY_LEASE_SECONDS = env.integer("DELIVERY_LEASE_SECONDS", 60)
# A worker that dies in its turn for a tenant leaves its place empty for as long as this; longer
# than a turn and one call.
DISPATCH_LANE_SECONDS = env.integer("DISPATCH_LANE_SECONDS", 45)

CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600}
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {
    "customers.process_*": {"queue": "events"},
    "customers.score_*": {"queue": "scores"},
    "customers.scan_duplicates": {"queue": "matching"},
    "campaigns.dispatch_*": {"queue": "dispatch"},
    # Looks at single customers are as short as events, and follow them.
    "segments.recheck*": {"queue": "events"},
    "segments.*": {"queue": "segments"},
}
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_TIMEZONE = "UTC"
# Ticks only ring: what is due is worked out from rows, so a tick too many or missed does no harm.
CELERY_BEAT_SCHEDULE = {
    "Process waiting events": {"task": "customers.process_due", "schedule": 5.0},
    "Look again at changed customers": {"task": "segments.recheck_due", "schedule": 2.0},
    "Refresh due segments": {"task": "segments.refresh_due", "schedule": 20.0},
    "Keep Messaging's segments in step": {"task": "segments.sync_due", "schedule": 30.0},
    "Start due campaigns": {"task": "campaigns.start_due", "schedule": 10.0},
    "Send what is due": {"task": "campaigns.dispatch_due", "schedule": 5.0},
    "Recount campaigns": {"task": "campaigns.recount_active", "schedule": 60.0},
    "Add up campaigns' results": {"task": "campaigns.refresh_results", "schedule": 60.0},
    "Forget old details of interactions": {"task": "campaigns.retain", "schedule": 3600.0},
    "Renew customer counters": {"task": "customers.renew_counters", "schedule": 3600.0},
    "Look after long work": {"task": "jobs.tend", "schedule": 10.0},
    "Remove files past their time": {"task": "files.retain", "schedule": 3600.0},
    "Copy who was erased": {"task": "customers.copy_erasures", "schedule": 60.0},
    "Forget old API answers": {"task": "api.forget_answers", "schedule": 3600.0},
    "Score customers": {"task": "customers.score", "schedule": 3600.0},
    "Scan for duplicates": {"task": "customers.scan_due", "schedule": crontab(hour=1, minute=15)},
    "Remove what is past its retention": {"task": "customers.retain", "schedule": 3600.0},
    "Forget old segment history": {"task": "segments.retain", "schedule": 3600.0},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {"axes": {"level": "WARNING"}, "httpx": {"level": "WARNING"}},
}
